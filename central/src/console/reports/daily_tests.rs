//! The opening sentence in both languages, by a table.

use super::*;

fn day(came: i64, members: i64) -> DayTold {
    DayTold { came, members, ..DayTold::default() }
}

#[test]
fn a_day_opens_with_what_its_figures_show_and_what_is_missing() {
    let quiet = DayTold::default();
    let busy =
        DayTold { earned: 3_200, spent: 100, paid_in: 120_050, paid_out: 0, joined: 2, ..day(1_280, 40) };
    let cases = [
        (quiet, quiet, 0, "当日没有任何业务记录。", "Nothing was recorded on this day."),
        (
            quiet,
            day(9, 8),
            1,
            "目前收到的数据中没有当日业务记录。另有 1 台终端尚未上传，以上数字可能还会变化。",
            "Nothing of this day has arrived so far. Terminals still to upload: 1; these figures may change.",
        ),
        (
            day(9, 8),
            day(7, 7),
            0,
            "当日到访 9 人次，会员 8 位，比上周同日多 2 人次。",
            "9 came, 8 of them different members, 2 more than a week before.",
        ),
        (
            day(7, 7),
            day(9, 8),
            0,
            "当日到访 7 人次，会员 7 位，比上周同日少 2 人次。",
            "7 came, 7 of them different members, 2 fewer than a week before.",
        ),
        (
            day(9, 8),
            day(9, 3),
            0,
            "当日到访 9 人次，会员 8 位，与上周同日持平。",
            "9 came, 8 of them different members, as many as a week before.",
        ),
        (
            day(9, 8),
            quiet,
            0,
            "当日到访 9 人次，会员 8 位；上周同日无人到访。",
            "9 came, 8 of them different members; nobody did a week before.",
        ),
        (
            DayTold { refused: 1, ..quiet },
            day(9, 8),
            0,
            "当日无人到访，上周同日为 9 人次。",
            "Nobody came; a week before it was 9.",
        ),
        (DayTold { refused: 1, ..quiet }, quiet, 0, "当日无人到访。", "Nobody came."),
        (
            busy,
            day(1_279, 40),
            3,
            "当日到访 1,280 人次，会员 40 位，比上周同日多 1 人次。发放积分 3,200 分，兑付与消费 100 分。\
             储值充值 ¥1,200.50，退现 ¥0.00。新入会 2 位。另有 3 台终端尚未上传，以上数字可能还会变化。",
            "1,280 came, 40 of them different members, 1 more than a week before. 3,200 points were given and 100 \
             redeemed. ¥1,200.50 was paid in and ¥0.00 paid out. 2 joined. Terminals still to upload: 3; these \
             figures may change.",
        ),
    ];
    for (now, before, missing, zh, en) in cases {
        let clauses = clauses(&now, &before, missing);
        assert_eq!(sentence(Language::Zh, &clauses), zh);
        assert_eq!(sentence(Language::En, &clauses), en);
    }
}
