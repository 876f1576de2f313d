//! What single cells may hold.

use super::*;

#[test]
fn rule_c02_names_hold_letters_brackets_and_the_middle_dot() {
    for name in
        ["欧阳静雯", "古丽·买买提", "张三(小)", "王（大）", "Anna Lee, Jr.", "O'Brien-Smith", "𠀀𪚥", "René"]
    {
        assert_eq!(text::person_name(name).as_deref(), Ok(name), "kept as written");
    }
    for name in ["张三!", "张@三", "李四2", "=1+1", "a\u{202e}b", "王\u{200b}五", "<b>", "···"] {
        assert!(text::person_name(name).is_err(), "{name:?}");
    }
}

#[test]
fn rule_c03_names_have_at_most_50_characters_and_mobiles_11_digits() {
    assert!(text::person_name(&"欧".repeat(50)).is_ok());
    let long = text::person_name(&"欧".repeat(51)).expect_err("too long");
    assert_eq!(long.text(Language::En), "a name of at most 50 characters, met 51");
    assert_eq!(long.text(Language::Zh), "不超过 50 个字的姓名，读到 51 个字");
    let met = complaints(
        Kind::Members,
        "number,name,mobile\nM1,张三,1380013800\nM2,张三,12800138000\nM3,张三,13800138000\n",
    );
    assert_eq!(met.len(), 2, "{met:?}");
}

#[test]
fn case_57_formulas_are_text_and_templates_do_not_hold_any() {
    let sheet = read(Kind::Offices, OFFICES.as_bytes()).expect("a sheet");
    assert_eq!(offices::parse(&sheet.lines[1]).expect("good").name.zh, "=1+1");
    assert_eq!(spreadsheet::quoted("=1+1"), "\"'=1+1\"");
    assert_eq!(spreadsheet::quoted("+86"), "\"'+86\"");
    assert_eq!(spreadsheet::quoted(" @x"), "\"' @x\"");
    assert_eq!(spreadsheet::quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    for kind in Kind::ALL {
        assert!(read(kind, kind.template().as_bytes()).is_ok(), "the template of {} is read", kind.code());
        // Members and offices of the examples that this centre does not know.
        let unknown = match kind {
            Kind::Cards => 1,
            Kind::Activities => 3,
            Kind::Balances | Kind::History => 1,
            Kind::Members | Kind::Offices => 0,
        };
        assert_eq!(complaints(kind, &kind.template()).len(), unknown, "{}", kind.code());
    }
}

#[test]
fn case_59_documents_are_checked_as_far_as_they_can_be() {
    let head = "number,name,document_kind,document_number,birthday\n";
    let met = |row: &str| complaints(Kind::Members, &format!("{head}{row}\n"));
    assert_eq!(met("M1,张三,,11010519491231002x,"), Vec::<String>::new(), "a small x is an X");
    assert!(met("M1,张三,,110105194912310021,")[0].contains("check digit"));
    assert!(met("M1,张三,,110105491231002,")[0].contains("15-digit"));
    assert!(met("M1,张三,,110105209912310017,")[0].contains("row 2, column document_number"));
    assert_eq!(met("M1,张三,护照,E12345678,1990-07-01"), Vec::<String>::new());
    assert!(
        met("M1,张三,,E12345678,")[0].contains("another kind")
            || met("M1,张三,,E12345678,")[0].contains("kind of document")
    );
    assert!(met("M1,张三,,,2099-01-01")[0].contains("a day in the past"));
    assert!(met("M1,张三,,,1990-02-30")[0].contains("YYYY-MM-DD"));
    assert!(met("M1,张三,驾照,1,")[0].contains("column document_kind"));
}

#[test]
fn case_60_mobiles_come_in_one_form_and_are_masked_in_complaints() {
    let head = "number,name,mobile\n";
    let read_one = |cell: &str| {
        let sheet = read(Kind::Members, format!("{head}M1,张三,{cell}\n").as_bytes()).expect("a sheet");
        members::parse(&sheet.lines[0], &Default::default(), Day(20_000)).expect("good").personal.mobile
    };
    for cell in
        ["13800138000", "+86 138 0013 8000", "86-138-0013-8000", "１３８００１３８０００", "'13800138000"]
    {
        assert_eq!(read_one(cell).as_deref(), Some("13800138000"), "{cell}");
    }
    assert_eq!(read_one("19912345678").as_deref().map(mask::mobile).as_deref(), Some("199****5678"));
    let met = complaints(Kind::Members, "number,name,mobile\nM1,张三,138001380001\n");
    assert!(!met[0].contains("138001380001"), "{met:?}");
}

#[test]
fn case_61_points_and_places_are_whole_and_bounded() {
    let head = "code,name_zh,starts,ends,points,places\n";
    for cell in ["-1", "1.5", "1e3", "+6", "9223372036854775807", "9223372036854775808"] {
        let met =
            complaints(Kind::Activities, &format!("{head}H1,会,2026-11-22 09:00,2026-11-22 10:00,{cell},\n"));
        assert_eq!(met.len(), 1, "{cell}: {met:?}");
    }
    let met = complaints(Kind::Activities, &format!("{head}H1,会,2026-11-22 09:00,2026-11-22 09:00,,\n"));
    assert!(met[0].contains("a time after the start"));
}

#[test]
fn local_times_are_those_of_the_clubs_zone_also_under_summer_time() {
    // China had summer time from 1986 to 1991.
    let hour = 3_600_000_000;
    let noon = |cell| text::moment(cell, Shanghai).expect("a time").0 / hour % 24;
    assert_eq!(noon("1990-07-01 12:00"), 3);
    assert_eq!(noon("2026-07-01 12:00"), 4);
    assert!(text::moment("1986-05-04 02:30", Shanghai).is_err(), "skipped by the clocks");
}
