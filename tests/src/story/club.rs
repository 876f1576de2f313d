//! The club of the story: who its people are, and the CSV files with which a centre takes them in.
//!
//! The cast has one member per scene, so that what each scene must give can be told apart in the books.

use crate::kit::clock;
use anyhow::{Context as _, Result};
use chrono::{DateTime, Duration, FixedOffset, Utc};
use std::fmt::Write as _;

/// Code of the office of terminal A.
pub const OFFICE_A: &str = "A01";
/// Code of the office of terminal B.
pub const OFFICE_B: &str = "B01";
/// Points that attending the story's activity gives.
pub const POINTS: i64 = 2;
/// Members whose stripes queue up at B while the centre is away.
pub const QUEUE_B: usize = 200;
/// Members whose numbers are typed at A meanwhile.
pub const QUEUE_A: usize = 24;
/// Members whose stripes come while a lost answer is being noticed.
pub const QUEUE_LATE: usize = 12;

/// A member with a chip card, a stripe, or both.
#[derive(Clone, Debug)]
pub struct Person {
    /// The club's number of the member.
    pub number: String,
    /// Whole name.
    pub name: String,
    /// As the files say it.
    pub sex: &'static str,
    /// Bytes of the chip's serial number.
    pub uid: Option<[u8; 7]>,
    /// The number on the stripe.
    pub card: Option<String>,
    /// State of the cards, as the files say it.
    pub status: &'static str,
}

/// Everybody.
#[derive(Clone, Debug)]
pub struct Cast {
    /// Checks in at A, twice.
    pub guest: Person,
    /// Buys at B.
    pub buyer: Person,
    /// Checks in at A and at B.
    pub traveller: Person,
    /// Presents a card that was reported lost.
    pub loser: Person,
    /// Presents a card when the power goes.
    pub unlucky: Person,
    /// Presents a card after the smart-card service came back.
    pub patient: Person,
    /// Queue up at B.
    pub crowd: Vec<Person>,
    /// Queue up at A, typed.
    pub typed: Vec<Person>,
    /// Come to B while an answer is lost.
    pub late: Vec<Person>,
}

/// Serial number of a chip that the club never gave out.
pub const STRANGER: [u8; 7] = [0x04, 0xDE, 0xAD, 0xBE, 0xEF, 0x10, 0x01];

impl Person {
    fn new(n: usize, name: &str, sex: &'static str) -> Self {
        let number = format!("M{n:06}");
        Self { number, name: name.to_owned(), sex, uid: None, card: None, status: "在用" }
    }

    fn with_chip(mut self, n: u8) -> Self {
        self.uid = Some([0x04, 0xA2, 0x2B, 0x91, 0x5C, 0x60, n]);
        self
    }

    fn with_stripe(mut self, n: usize) -> Self {
        self.card = Some(format!("66880001{n:08}"));
        self
    }

    /// The characters on the stripe's second track.
    ///
    /// # Errors
    /// When the member has no stripe.
    pub fn track(&self) -> Result<String> {
        let card = self.card.as_deref().with_context(|| format!("{} has no stripe", self.number))?;
        Ok(format!(";{card}=3012?"))
    }

    /// The chip's serial number.
    ///
    /// # Errors
    /// When the member has no chip card.
    pub fn chip(&self) -> Result<[u8; 7]> {
        self.uid.with_context(|| format!("{} has no chip card", self.number))
    }
}

/// Surnames and given names of the crowd, put together by number.
const SURNAMES: [&str; 10] = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴"];
const GIVEN: [&str; 12] =
    ["敏", "静怡", "伟", "晓东", "丽华", "建国", "雨欣", "志强", "梓涵", "俊杰", "秀英", "海燕"];

impl Cast {
    /// The story's people.
    #[must_use]
    pub fn new() -> Self {
        let many = |from: usize, count: usize| -> Vec<Person> {
            (from..from + count)
                .map(|n| {
                    let name = format!("{}{}", SURNAMES[n % SURNAMES.len()], GIVEN[n % GIVEN.len()]);
                    Person::new(n, &name, if n % 2 == 0 { "女" } else { "男" }).with_stripe(n)
                })
                .collect()
        };
        let mut loser = Person::new(4, "司徒美玲", "女").with_chip(4);
        loser.status = "挂失";
        Self {
            guest: Person::new(1, "欧阳堃玥", "女").with_chip(1),
            buyer: Person::new(2, "张喆", "男").with_stripe(2),
            traveller: Person::new(3, "禤国安", "男").with_chip(3).with_stripe(3),
            loser,
            unlucky: Person::new(5, "何思源", "男").with_chip(5),
            patient: Person::new(6, "夏侯晴", "女").with_chip(6),
            crowd: many(1_000, QUEUE_B),
            typed: many(2_000, QUEUE_A),
            late: many(3_000, QUEUE_LATE),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Person> {
        let named = [&self.guest, &self.buyer, &self.traveller, &self.loser, &self.unlucky, &self.patient];
        named.into_iter().chain(&self.crowd).chain(&self.typed).chain(&self.late)
    }

    /// The file of members.
    #[must_use]
    pub fn members_csv(&self) -> String {
        let mut csv = String::from("会员编号,姓名,性别\n");
        for person in self.all() {
            // Writing into a string cannot fail.
            let _ = writeln!(csv, "{},{},{}", person.number, person.name, person.sex);
        }
        csv
    }

    /// The file of cards.
    #[must_use]
    pub fn cards_csv(&self) -> String {
        let mut csv = String::from("卡号,芯片号,会员编号,状态\n");
        for person in self.all() {
            if let Some(uid) = person.uid {
                let uid = data_encoding::HEXUPPER.encode(&uid);
                let _ = writeln!(csv, ",{uid},{},{}", person.number, person.status);
            }
            if let Some(card) = &person.card {
                let _ = writeln!(csv, "{card},,{},{}", person.number, person.status);
            }
        }
        csv
    }
}

impl Default for Cast {
    fn default() -> Self {
        Self::new()
    }
}

/// The file of offices: three, of which two have a terminal.
#[must_use]
pub fn offices_csv() -> String {
    format!(
        "code,name_zh,name_en\n{OFFICE_A},滨江案场,Riverside\n{OFFICE_B},云栖案场,Cloud Valley\n\
         C01,湖畔案场,Lakeside\n"
    )
}

/// The file of activities: one that runs from yesterday until tomorrow at A and B, and one that nobody approved.
#[must_use]
pub fn activities_csv() -> String {
    let china = FixedOffset::east_opt(8 * 3_600).expect("eight hours is an offset");
    let now = DateTime::<Utc>::from(clock::wall()).with_timezone(&china);
    let day = |days: i64| (now + Duration::days(days)).format("%Y-%m-%d").to_string();
    let (yesterday, tomorrow) = (day(-1), day(1));
    format!(
        "code,name_zh,name_en,starts,ends,state,points,admits_once,offices\n\
         HD-STORY,业主答谢会,Owners' evening,{yesterday} 00:00,{tomorrow} 23:59,approved,{POINTS},yes,{OFFICE_A};{OFFICE_B}\n\
         HD-LATER,亲子烘焙课,Baking class,{tomorrow} 09:00,{tomorrow} 12:00,planned,5,yes,\n"
    )
}
