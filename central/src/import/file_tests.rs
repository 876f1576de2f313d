//! Tests of files: workbooks with numbers, dates and bombs, mapped headers, and the report that is written.

use std::io::{Cursor, Write as _};

use hufu_shared::time::Day;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use super::mapping::Mapping;
use super::sheet::{Reading, SheetError, read, read_as};
use super::tests::{Centre, asked, counts};
use super::*;
use crate::db::testing::each;
use crate::import::run::Request;

/// A workbook as another program writes it.
fn book(fill: impl FnOnce(&mut Workbook)) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(&mut book);
    book.save_to_buffer().expect("a workbook")
}

/// A workbook of one sheet, from its cells in XML.
fn raw_book(cells: &str) -> Vec<u8> {
    let head = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                "{head}<Types xmlns=\"{package}/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "{head}<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" Type=\"{relations}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "{head}<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "{head}<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("{head}<worksheet xmlns=\"{main}\"><sheetData>{cells}</sheetData></worksheet>"),
        ),
    ];
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let packed =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, text) in parts {
        writer.start_file(name, packed).expect("a part");
        writer.write_all(text.as_bytes()).expect("written");
    }
    writer.finish().expect("a workbook").into_inner()
}

fn text_cell(place: &str, text: &str) -> String {
    format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

#[test]
fn a_workbook_gives_numbers_dates_and_texts_without_loss() {
    let bytes = book(|book| {
        let sheet = book.add_worksheet();
        for (column, header) in (0_u16..).zip(["会员编号", "姓名", "手机", "证件号码", "生日", "保密"])
        {
            sheet.write_string(0, column, header).expect("written");
        }
        let day = Format::new().set_num_format("yyyy-mm-dd");
        sheet.write_string(1, 0, "M1").expect("written");
        sheet.write_string(1, 1, "　欧阳静雯 ").expect("written");
        sheet.write_number(1, 2, 13_800_138_000_f64).expect("written");
        sheet.write_string(1, 3, "11010519491231002X").expect("written");
        let born = ExcelDateTime::from_ymd(1949, 12, 31).expect("a date");
        sheet.write_datetime_with_format(1, 4, &born, &day).expect("written");
        sheet.write_boolean(1, 5, true).expect("written");
        // An empty row, then one whose number has a point.
        sheet.write_number(3, 0, 7.5).expect("written");
        sheet.write_string(3, 1, "=1+1").expect("written");
    });
    let sheet = read(Kind::Members, &bytes).expect("a workbook");
    assert_eq!((sheet.lines.len(), sheet.read_as), (2, "XLSX"));
    let line = &sheet.lines[0];
    let met =
        ["number", "name", "mobile", "document_number", "birthday", "secret"].map(|column| line.get(column));
    assert_eq!(met, ["M1", "欧阳静雯", "13800138000", "11010519491231002X", "1949-12-31", "yes"]);
    let member = members::parse(line, &Default::default(), Day(20_000)).expect("good");
    assert_eq!(member.personal.mobile.as_deref(), Some("13800138000"));
    assert!(member.secret);
    assert_eq!(
        (sheet.lines[1].row, sheet.lines[1].get("number"), sheet.lines[1].get("name")),
        (4, "7.5", "=1+1")
    );
}

#[test]
fn dates_and_times_of_a_workbook_are_those_that_it_shows() {
    let bytes = book(|book| {
        let sheet = book.add_worksheet();
        for (column, header) in (0_u16..).zip(["code", "name_zh", "starts", "ends", "points"]) {
            sheet.write_string(0, column, header).expect("written");
        }
        let moment = Format::new().set_num_format("yyyy/m/d h:mm");
        let at = |hour| {
            ExcelDateTime::from_ymd(2026, 11, 22).and_then(|day| day.and_hms(hour, 20, 0)).expect("a time")
        };
        sheet.write_string(1, 0, "H1").expect("written");
        sheet.write_string(1, 1, "会").expect("written");
        sheet.write_datetime_with_format(1, 2, at(9), &moment).expect("written");
        sheet.write_datetime_with_format(1, 3, at(21), &moment).expect("written");
        sheet.write_number(1, 4, 6.0).expect("written");
        let hours = Format::new().set_num_format("hh:mm");
        let other = book.add_worksheet();
        other.set_name("案场").expect("a name");
        for (column, header) in (0_u16..).zip(["code", "name_zh", "cutoff"]) {
            other.write_string(0, column, header).expect("written");
        }
        other.write_string(1, 0, "A01").expect("written");
        other.write_string(1, 1, "滨江").expect("written");
        other.write_number_with_format(1, 2, 2.0 / 24.0, &hours).expect("written");
    });
    let sheet = read(Kind::Activities, &bytes).expect("a workbook");
    let line = &sheet.lines[0];
    assert_eq!(
        [line.get("starts"), line.get("ends"), line.get("points")],
        ["2026-11-22 09:20", "2026-11-22 21:20", "6"]
    );
    let named = |name: &str| Reading { sheet: Some(name.to_owned()), ..Reading::default() };
    let offices = read_as(Kind::Offices, &bytes, &named("案场")).expect("the other sheet");
    assert_eq!(offices::parse(&offices.lines[0]).expect("good").clock.cutoff_minutes, 120);
    let error = read_as(Kind::Offices, &bytes, &named("门店")).expect_err("none").to_string();
    assert_eq!(error, "the workbook has no such sheet; it has Sheet1, 案场");
    let csv = read_as(Kind::Offices, b"code,name_zh\n", &named("案场"));
    assert!(matches!(csv, Err(SheetError::NoSheets)));
}

#[test]
fn a_card_number_that_a_spreadsheet_has_rounded_is_refused() {
    let bytes = book(|book| {
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "card").expect("written");
        sheet.write_number(1, 0, 6_688_000_100_010_001_f64).expect("written");
        sheet.write_number(2, 0, 668_800_010_001_f64).expect("written");
        sheet.write_string(3, 0, "6688000100010001").expect("written");
    });
    let sheet = read(Kind::Cards, &bytes).expect("a workbook");
    assert_eq!(
        sheet.lines.iter().map(|line| line.get("card")).collect::<Vec<_>>(),
        ["668800010001", "6688000100010001"]
    );
    assert_eq!((sheet.bad.len(), sheet.bad[0].row, sheet.bad[0].column), (1, 2, "card"));
    let expected = sheet.bad[0].expected.text(Language::En);
    assert!(expected.contains("keeps 15 digits"), "{expected}");
    assert!(!sheet.bad[0].met.contains("6688000100010"), "masked: {}", sheet.bad[0].met);
    assert_eq!(sheet.broken[0].cells().len(), 1, "the report has the row");
}

#[test]
fn a_cell_in_the_last_row_costs_no_memory_and_one_far_to_the_right_is_refused() {
    let head = format!("<row r=\"1\">{}{}</row>", text_cell("A1", "number"), text_cell("B1", "name"));
    let far = format!(
        "{head}<row r=\"1048576\">{}{}</row>",
        text_cell("A1048576", "M1"),
        text_cell("B1048576", "张三")
    );
    let sheet = read(Kind::Members, &raw_book(&far)).expect("a workbook");
    assert_eq!((sheet.lines.len(), sheet.lines[0].row, sheet.lines[0].get("name")), (1, 1_048_576, "张三"));
    let right = format!("{head}<row r=\"2\">{}</row>", text_cell("XFD2", "M1"));
    assert!(matches!(read(Kind::Members, &raw_book(&right)), Err(SheetError::Columns)));
    let back = format!(
        "{head}<row r=\"3\">{}</row><row r=\"2\">{}</row>",
        text_cell("A3", "M1"),
        text_cell("A2", "M2")
    );
    assert!(matches!(read(Kind::Members, &raw_book(&back)), Err(SheetError::Workbook { .. })));
}

#[test]
fn what_is_no_workbook_is_named() {
    assert!(matches!(read(Kind::Members, b"PK\x03\x04 and nothing"), Err(SheetError::Workbook { .. })));
    assert!(matches!(read(Kind::Members, &[0xd0, 0xcf, 0x11, 0xe0, 0xa1]), Err(SheetError::OldWorkbook)));
}

fn mapped(pairs: &[(&str, &str)], ignored: &[&str]) -> Reading {
    let mut mapping = Mapping::default();
    for (column, header) in pairs {
        mapping.map(Kind::Members, column, header).expect("a column");
    }
    ignored.iter().for_each(|header| mapping.ignore(header));
    Reading { mapping, ..Reading::default() }
}

#[test]
fn headers_of_another_system_are_mapped_and_what_does_not_fit_is_named() {
    let text = "客户号,客户名称,备注,手机\nM1,张三,x,13800138000\n";
    let pairs = [("number", "客户号"), ("姓名", "客户名称")];
    let sheet = read_as(Kind::Members, text.as_bytes(), &mapped(&pairs, &["备注"])).expect("mapped");
    let line = &sheet.lines[0];
    assert_eq!([line.get("number"), line.get("name"), line.get("mobile")], ["M1", "张三", "13800138000"]);
    assert_eq!(line.cells()[2], "x", "left out, but still in the report");
    let error = |pairs: &[(&str, &str)], ignored: &[&str]| {
        read_as(Kind::Members, text.as_bytes(), &mapped(pairs, ignored)).expect_err("refused").to_string()
    };
    assert!(error(&pairs, &[]).starts_with("column 3 of the header is \"备注\""));
    assert_eq!(
        error(&[("number", "客户号"), ("name", "名字")], &["备注"]),
        "the mapping of name names the header \"名字\"; the file has 客户号, 客户名称, 备注, 手机"
    );
    assert_eq!(
        error(&[("number", "客户号"), ("name", "客户号")], &["备注", "客户名称"]),
        "the mapping takes the header \"客户号\" for two columns: name, number"
    );
    let unknown = Mapping::default().map(Kind::Members, "nom", "x").expect_err("no column").to_string();
    assert!(
        unknown.starts_with("the mapping names the column \"nom\"; expected one of number, name"),
        "{unknown}"
    );
}

#[test]
fn a_mapping_file_says_the_same() {
    let text = "number = \"客户号\"\nname = \"客户名称\"\nignore = [\"备注\", \"手机\"]\n";
    let read = Mapping::read(Kind::Members, text).expect("a mapping");
    let said = mapped(&[("number", "客户号"), ("name", "客户名称")], &["备注", "手机"]).mapping;
    assert_eq!(read, said);
    for (text, part) in
        [("number = 5\n", "number is 5"), ("x = \"y\"\n", "\"x\""), ("ignore = [1]\n", "ignore"), ("=", "")]
    {
        let error = Mapping::read(Kind::Members, text).expect_err("refused").to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[tokio::test]
async fn rule_c02_k07_rows_that_look_like_members_or_like_each_other_are_told() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = Centre::new(db, folder.path()).await;
        centre.take(Kind::Members, "number,name,mobile\nM1,欧阳静雯,13800138000\nM2,王五,\n").await;
        let text = "number,name,mobile\nM3,欧阳静雯,\nM4,李四,13800138000\nM5,赵六,13911112222\nM6,钱七,13911112222\nM2,王五,\n";
        let dry = centre.try_take(Request { dry_run: true, ..asked(Kind::Members, text) }).await.expect("read");
        assert_eq!((counts(&dry), dry.alike), ((4, 0, 1, 0, false), 3));
        let told: Vec<_> = dry
            .details
            .rows
            .iter()
            .map(|told| (told.row, told.alike.members.iter().cloned().collect::<Vec<_>>(), told.alike.rows.len()))
            .collect();
        let of = |number: &str| vec![number.to_owned()];
        assert_eq!(told, [(2, of("M1"), 0), (3, of("M1"), 0), (5, vec![], 1)]);
        assert_eq!(centre.take(Kind::Members, text).await.new, 4, "they are told, and a person decides");
    })
    .await;
}

#[tokio::test]
async fn the_report_holds_the_bad_rows_with_their_own_cells_in_the_language_asked_for() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = Centre::new(db, folder.path()).await;
        let text = "会员编号,姓名,手机\nM1,张三,13800138000\nM2,=1+1,12345\nM3,王五,,x\n";
        let partial = Request { partial: true, ..asked(Kind::Members, text) };
        let report = centre.try_take(partial).await.expect("read");
        assert_eq!(counts(&report), (1, 0, 0, 2, true));
        let path = folder.path().join("report.csv");
        report.details.write(Kind::Members, Language::Zh, &path).expect("written");
        let written = std::fs::read_to_string(&path).expect("a report");
        let lines: Vec<&str> = written.trim_start_matches('\u{feff}').lines().collect();
        assert_eq!(lines[0], "行号,会员编号,姓名,手机,,处理结果,错误,疑似重复");
        assert_eq!(
            lines[1],
            "3,M2,\"'=1+1\",12345,,未导入,姓名：读到“=1+1”，应为由文字、间隔号、括号、逗号、句点或空格组成的姓名，读到字符“=”；手机：读到“*****”，应为11 位、以 13 至 19 开头的手机号码（可带 +86），或以 + 开头的境外号码,"
        );
        assert_eq!(lines[2], "4,M3,王五,,x,未导入,行末：读到“x”，应为3 个单元格，读到 4 个,");
        assert_eq!(lines.len(), 3, "good rows are not told");
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).expect("a file"));
        assert_eq!(mode & 0o777, 0o600, "it holds what the file held");
        let path = folder.path().join("report.xlsx");
        report.details.write(Kind::Members, Language::En, &path).expect("written");
        let grid = grid::read(&std::fs::read(&path).expect("a report"), grid::Encoding::Auto, None).expect("a workbook");
        assert_eq!(grid.rows[0].cells[..2], ["Row", "会员编号"]);
        assert_eq!(grid.rows[1].cells[..4], ["3", "M2", "=1+1", "12345"], "text stays text");
        let wrong = &grid.rows[1].cells[6];
        assert!(wrong.contains("mobile: met “*****”, expected 11 digits that begin with 13 to 19"), "{wrong}");
        let other = report.details.write(Kind::Members, Language::En, &folder.path().join("report.txt"));
        assert!(other.expect_err("an ending").to_string().contains("neither in .csv nor in .xlsx"));
    })
    .await;
}
