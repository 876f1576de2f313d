//! Check-ins of many at the page: by a list of cards, and with companions.

use super::*;

#[test]
fn rule_k27_a_list_is_shown_with_its_count_and_what_confirming_it_does() {
    let page = |name: &str, language| {
        let (_, view) = moments().into_iter().find(|(moment, _)| *moment == name).unwrap();
        render(&view, language, false)[0].clone()
    };
    let list = page("batch", Language::Zh);
    for part in [
        "批量签到名单",
        "确认签到 4 位",
        "名单共 4 位",
        "name=\"seen\" value=\"4\"",
        "name=\"remove\" value=\"3\"",
        "此卡已挂失",
        "未识别的卡",
        "1 号门 进 21",
        "2 号门 进 16",
    ] {
        assert!(list.contains(part), "the list lacks {part}");
    }
    assert!(!list.contains("签到成功"), "nothing says that anybody is checked in");
    let (_, mut view) = moments().into_iter().find(|(moment, _)| *moment == "batch").unwrap();
    view.result.as_mut().unwrap().person = None;
    assert!(face(&view, &ui(Language::Zh)).next.unwrap().starts_with("未识别此卡"));
    assert!(page("batch-paused", Language::Zh).contains("现在刷卡不会加入名单"));
    assert!(page("batch-done", Language::Zh).contains("已签到 10 位"));
    assert!(page("batch-done", Language::En).contains("1 refused"));
    assert!(!page("earning", Language::En).contains("Batch check-in"), "no list while a purchase waits");
}

#[test]
fn rule_k27_the_page_asks_for_companions_only_where_the_plan_allows_some() {
    let field = "name=\"companions\"";
    let mut view = afternoon();
    let [counter, ..] = render(&view, Language::En, false);
    assert!(counter.contains("Companions of the next member (at most 2)") && counter.contains(field));
    view.activities[0].companions = 0;
    let [counter, ..] = render(&view, Language::En, false);
    assert!(!counter.contains(field), "members come alone");
    let party = Purpose::CheckInParty { name: words("业主品鉴会", "Tasting"), companions: 2 };
    view.mode = ModeView::Once { purpose: party };
    let [counter, ..] = render(&view, Language::En, false);
    assert!(counter.contains("Check-in · Tasting · 2 companions"), "what the next card means");
}
