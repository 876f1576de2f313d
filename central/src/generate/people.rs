//! Members and cards as import files: frequent surnames, names of several generations, a few rare characters.

use std::fmt::Write as _;

use hufu_shared::scheme::Words;
use hufu_shared::token::CardText;

use super::random::Random;
use super::tray::{self, CardKind, TrayCard};
use crate::vault::Sex;

/// Surnames, the frequent ones more than once.
const SURNAMES: &[&str] = &[
    "王", "王", "王", "王", "李", "李", "李", "李", "张", "张", "张", "张", "刘", "刘", "刘", "陈", "陈",
    "陈", "杨", "杨", "黄", "黄", "赵", "赵", "吴", "吴", "周", "周", "徐", "孙", "马", "朱", "胡", "郭",
    "何", "高", "林", "罗", "郑", "梁", "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹", "彭", "曾", "肖",
    "田", "董", "袁", "潘", "于", "蒋", "蔡", "余", "杜", "叶", "程", "苏", "魏", "吕", "丁", "任", "沈",
    "姚", "卢", "姜", "崔", "钟", "谭", "陆", "汪", "范", "金", "石", "廖", "贾", "夏", "韦", "付", "方",
    "白", "邹", "孟", "熊", "秦", "邱", "江", "尹", "薛", "闫", "段", "雷", "侯", "龙", "史", "陶", "黎",
    "贺", "顾", "毛", "郝", "龚", "邵", "万", "钱", "严", "覃", "武", "戴", "莫", "孔", "向", "汤", "欧阳",
    "上官", "司马", "诸葛", "令狐", "禤", "佘", "逄", "郗", "亓",
];
const WOMEN: &[&str] = &[
    "静", "敏", "丽", "艳", "芳", "娟", "霞", "秀英", "桂兰", "玉兰", "婷", "雪", "倩", "慧", "颖", "佳怡",
    "欣怡", "梓涵", "雨桐", "诗涵", "若曦", "婉清", "思琪", "梦瑶", "晓燕", "海燕", "春梅", "凤英", "淑珍",
    "丽华", "美玲", "雅琴", "文静", "静雯", "嘉欣", "子萱", "可馨", "语嫣", "书瑶", "琬琰", "堃玥", "珺",
    "祎", "翊", "玥",
];
const MEN: &[&str] = &[
    "伟", "强", "磊", "军", "勇", "涛", "明", "超", "杰", "刚", "建国", "建军", "志强", "志明", "国强",
    "海涛", "俊杰", "浩然", "子轩", "宇轩", "博文", "思远", "文博", "天佑", "晨曦", "家豪", "振华", "永康",
    "德华", "少杰", "明哲", "逸飞", "鸿涛", "泽宇", "瑞霖", "喆", "昊", "镕", "翀", "彧", "炜", "旻", "铄",
    "之谦", "云龙",
];
/// Names of levels with the share of members, out of 100, who have at least that level.
const LEVELS: &[(&str, &str, u64)] =
    &[("钻石卡", "Diamond", 4), ("金卡", "Gold", 20), ("银卡", "Silver", 50)];

/// One member and how the cards are numbered.
#[derive(Debug, Clone)]
pub struct Person {
    /// The club's number.
    pub number: String,
    /// Whole name.
    pub name: String,
    /// As the import writes it; empty if unknown.
    pub sex: &'static str,
    /// UID of the chip card, hexadecimal.
    pub uid: String,
    /// Number on the stripe card.
    pub stripe: String,
    /// State of the cards, as the import writes it.
    pub card_state: &'static str,
    /// Code of the office that won the member.
    pub office: &'static str,
}

/// People who always are the first members, so that a demonstration can name them: name, sex, state of the cards.
const KNOWN: &[(&str, &str, &str)] = &[
    ("欧阳堃玥", "女", "在用"),
    ("张喆", "男", "在用"),
    ("禤国强", "男", "在用"),
    ("陈思远", "", "在用"),
    ("林婉清", "女", "挂失"),
    ("司马若曦", "女", "在用"),
    ("王芳", "女", "在用"),
    ("李建国", "男", "在用"),
];

/// `count` members, the known ones first.
pub fn people(random: &mut Random, count: usize, offices: &[&'static str]) -> Vec<Person> {
    (0..count)
        .map(|n| {
            let (name, sex, card_state) = KNOWN.get(n).map_or_else(
                || {
                    let woman = random.below(2) == 0;
                    let given = random.pick(if woman { WOMEN } else { MEN });
                    let sex = if random.below(50) == 0 {
                        ""
                    } else if woman {
                        "女"
                    } else {
                        "男"
                    };
                    (format!("{}{given}", random.pick(SURNAMES)), sex, "在用")
                },
                |(name, sex, state)| ((*name).to_owned(), *sex, *state),
            );
            Person {
                number: format!("M{:06}", n + 1),
                name,
                sex,
                uid: chip_uid(n),
                stripe: format!("6688{:012}", 10_001 + n),
                card_state,
                office: offices[n % offices.len()],
            }
        })
        .collect()
}

impl Person {
    /// How to address them.
    pub fn sex(&self) -> Sex {
        match self.sex {
            "女" => Sex::Female,
            "男" => Sex::Male,
            _ => Sex::Unknown,
        }
    }
}

/// What else is known of a member.
#[derive(Debug, Clone)]
pub struct Particulars {
    level: (&'static str, &'static str),
    /// Mobile number.
    pub mobile: u64,
    /// Day of birth.
    pub birthday: String,
}

impl Particulars {
    /// Name of the level.
    pub fn level(&self) -> Words {
        Words { zh: self.level.0.to_owned(), en: self.level.1.to_owned() }
    }
}

/// Draws what else is known of a member.
pub fn particulars(random: &mut Random) -> Particulars {
    let share = random.below(100);
    let level = LEVELS.iter().find(|level| share < level.2).map_or(("普通卡", "Standard"), |l| (l.0, l.1));
    let mobile = 13_000_000_000 + random.below(1_000_000_000);
    let (year, month, day) = (1950 + random.below(56), 1 + random.below(12), 1 + random.below(28));
    Particulars { level, mobile, birthday: format!("{year}-{month:02}-{day:02}") }
}

/// The serial number of the chip card of the `n`th member, counted from 0, as hexadecimal digits.
#[must_use]
pub fn chip_uid(n: usize) -> String {
    format!("04{:012X}", 0x00A1_0000_0000u64 + n as u64 * 7919)
}

/// What is read of a member's chip card.
pub fn chip(person: &Person) -> CardText {
    CardText::uid(&data_encoding::HEXUPPER.decode(person.uid.as_bytes()).unwrap_or_default())
}

/// The import file of members.
pub fn members_csv(random: &mut Random, people: &[Person]) -> String {
    let mut csv = String::from("number,name,sex,mobile,birthday,level_zh,level_en,office\n");
    for person in people {
        let known = particulars(random);
        // Writing into a string cannot fail.
        let _ = writeln!(
            csv,
            "{},{},{},{},{},{},{},{}",
            person.number,
            person.name,
            person.sex,
            known.mobile,
            known.birthday,
            known.level.0,
            known.level.1,
            person.office
        );
    }
    csv
}

/// The import file of cards: every member has a chip card, every third a stripe card too.
pub fn cards_csv(people: &[Person]) -> String {
    let mut csv = String::from("card,uid,member,kind,status\n");
    for (n, person) in people.iter().enumerate() {
        let _ = writeln!(csv, ",{},{},普通卡,{}", person.uid, person.number, person.card_state);
        if has_stripe(n) {
            let _ = writeln!(csv, "{},,{},普通卡,{}", person.stripe, person.number, person.card_state);
        }
        if n == 1 {
            let _ = writeln!(csv, "{CHIP_NUMBER},,{},普通卡,{}", person.number, person.card_state);
        }
    }
    csv
}

/// What is printed on the 125 kHz card of the second member.
const CHIP_NUMBER: &str = "0040856634";

/// Whether the `n`th member has a stripe card.
fn has_stripe(n: usize) -> bool {
    n < KNOWN.len() || n.is_multiple_of(3)
}

/// The cards that a demonstration lays out.
pub fn tray(people: &[Person]) -> Vec<TrayCard> {
    let notes = ["", "", "", "无称谓", "已挂失"];
    let mut cards = Vec::new();
    for (n, person) in people.iter().take(5).enumerate() {
        let note = notes.get(n).copied().unwrap_or_default();
        cards.push(tray::chip(&person.name, &person.uid, note));
        cards.push(tray::stripe(&person.name, &person.stripe, note));
    }
    // The same numbers on other media: whichever is read, it is the same card.
    let media = [(CardKind::Sector, "扇区卡"), (CardKind::Ntag, "NTAG"), (CardKind::File, "CPU 卡")];
    for (n, (medium, person)) in media.into_iter().zip(people).enumerate() {
        cards.push(tray::numbered(&person.name, medium, &format!("04C0FFEE{n:02X}2233"), &person.stripe));
    }
    if let [first, second, ..] = people {
        cards.push(tray::two_tracks(&second.name, &second.stripe));
        cards.push(tray::low_frequency(&second.name, CHIP_NUMBER));
        cards.push(tray::code(&first.name, &first.number));
    }
    cards.push(tray::chip("未登记的卡", "04FFEE00112233", "未登记"));
    cards.push(tray::stripe("未登记的卡", "668899990001", "未登记"));
    cards
}
