//! The set-up page in every state of every part, in both languages; and that every page says practice.

use askama::Template;
use hufu_shared::time::DAY_US;

use super::pages::{frame, is_han};
use super::samples::{NOW, afternoon};
use crate::counter::practice::PracticePage;
use crate::counter::setup::{SetupDoing, SetupPage, SetupPart, SetupView};
use crate::locale::Language;
use crate::rules::setup::{Part, Standing, Tried, standing};

/// Everything that can be met, with a detail as the run loop writes it.
const MET: [(Part, bool, &str, &str); 15] = [
    (Part::Central, true, "answered", "12"),
    (Part::Central, false, "silent", "connection refused"),
    (Part::Reader, true, "read", "ACS 00\tuid\t2B91"),
    (Part::Reader, true, "read", "ACS 00\tnumber\t1234"),
    (Part::Reader, true, "read", "ttyUSB0\tline\t1234"),
    (Part::Reader, true, "read", "ttyUSB0\tstripe\t1234"),
    (Part::Reader, true, "read", "ttyUSB0\tcode\t"),
    (Part::Reader, false, "unread", "ACS 00"),
    (Part::Reader, false, "nothing", ""),
    (Part::Display, false, "unseen", ""),
    (Part::Sound, false, "unheard", ""),
    (Part::Printer, true, "legible", ""),
    (Part::Printer, false, "illegible", ""),
    (Part::Printer, false, "not_printed", ""),
    (Part::Printer, false, "hindered", "paper-out"),
];

fn part(part: Part, there: Option<&str>, tried: Option<Tried>) -> SetupPart {
    let standing = standing(there, tried.as_ref(), NOW);
    SetupPart { part, there: there.map(str::to_owned), standing, tried }
}

fn tried(part: Part, worked: bool, met: &str, detail: &str) -> Tried {
    let (met, detail) = (met.to_owned(), detail.to_owned());
    Tried { part, at: NOW.offset(-DAY_US), worked, there: "it".to_owned(), met, detail }
}

fn render(parts: Vec<SetupPart>, doing: Option<SetupDoing>, language: Language) -> String {
    let mut view = afternoon();
    view.setup = SetupView { parts, doing };
    SetupPage::new(&frame(language, false), &view, None).render().expect("rendered")
}

#[test]
fn the_setup_page_has_words_for_whatever_is_met_in_both_languages() {
    let doings = [
        None,
        Some(SetupDoing::Card),
        Some(SetupDoing::Picture),
        Some(SetupDoing::Sound),
        Some(SetupDoing::Slip { hindered: None }),
        Some(SetupDoing::Slip { hindered: Some("paper-out") }),
        Some(SetupDoing::Printed),
    ];
    for language in Language::ALL {
        for (of, worked, met, detail) in MET {
            for doing in &doings {
                let others = Part::ALL.into_iter().filter(|each| *each != of);
                let mut parts: Vec<SetupPart> = others.map(|each| part(each, None, None)).collect();
                parts.push(part(of, Some("it"), Some(tried(of, worked, met, detail))));
                let page = render(parts, doing.clone(), language);
                for start in [">setup-", " setup-", ">printer-", "：printer-", ": printer-"] {
                    assert!(!page.contains(start), "{met}: a text is missing: {page}");
                }
                let han = page.chars().filter(|c| is_han(*c)).collect::<String>().replace("切换到中文", "");
                assert!(language == Language::Zh || han.replace("中文", "").is_empty(), "{met}: {han}");
            }
        }
    }
}

#[test]
fn the_verdict_is_given_only_when_every_part_works() {
    let works = |each: Part| part(each, Some("it"), Some(tried(each, true, "seen", "")));
    let all: Vec<SetupPart> = Part::ALL.map(works).into();
    assert!(render(all.clone(), None, Language::Zh).contains("本机可以上岗"));
    assert!(render(all.clone(), None, Language::En).contains("This terminal is ready for work"));
    for missing in 0..all.len() {
        let mut parts = all.clone();
        parts[missing].standing = Standing::Old;
        let page = render(parts, None, Language::Zh);
        assert!(page.contains("本机还不能上岗") && !page.contains("本机可以上岗"), "{missing}");
    }
}

#[test]
fn in_practice_the_page_has_its_border_its_words_and_the_way_out() {
    for language in Language::ALL {
        let plain = PracticePage::new(&frame(language, false)).render().expect("rendered");
        assert!(plain.contains("value=\"begin\"") && !plain.contains("class=\"practising\""));
        let mut frame = frame(language, false);
        frame.practice = true;
        let page = PracticePage::new(&frame).render().expect("rendered");
        assert!(page.contains("class=\"practising\"") && page.contains("value=\"end\""), "{page}");
        assert!(page.contains("paper practice\"") && page.contains("practice.css"));
        assert!(!page.contains("value=\"begin\""));
    }
}
