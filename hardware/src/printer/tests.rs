//! Tickets decoded back from their bytes, and printers on every kind of line: a pty, a TCP socket, a file.
//! `HUFU_PICTURES=folder cargo test -p hufu-hardware printer` writes the paper as pictures.

use std::net::TcpListener;
use std::thread::JoinHandle;

use embedded_graphics::prelude::{OriginDimensions, Point};
use proptest::prelude::*;

use super::*;
use crate::fake::printer::{ModelPrinter, Piece, Roll, draw, read};
use crate::serial::pty::pty;
use crate::text::Fonts;

fn receipt() -> Ticket {
    let blocks = vec![
        Block::heading("滨江会"),
        Block::centre("滨江一号案场 · 前台 2"),
        Block::loud("储值小票"),
        Block::Rule,
        Block::pair("小票号", "7F3A-1-000128"),
        Block::pair("业务日期", "2026-11-22"),
        Block::pair("时间", "15:02:11"),
        Block::pair("会员", "张*喆"),
        Block::pair("支付方式", "微信支付"),
        Block::Rule,
        Block::total("储值", "+500.00"),
        Block::pair("储值前", "￥734.50"),
        Block::pair("储值后", "￥1,234.50"),
        Block::Rule,
        Block::loud("离线登记，联网后入账"),
        Block::Qr("hufu1:7F3A-1-128".into()),
        Block::centre("请妥善保管本小票"),
    ];
    Ticket { blocks }
}

fn pieces(ticket: &Ticket, profile: &Profile) -> Vec<Piece> {
    read(&escpos::encode(ticket, profile, &Fonts::load())).unwrap()
}

fn texts(pieces: &[Piece]) -> Vec<&str> {
    let texts = pieces.iter().filter_map(|piece| match piece {
        Piece::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// Reads a QR code off a picture of the paper.
fn scanned(pieces: &[Piece], width: Width) -> Vec<String> {
    let frame = draw(pieces, width.dots());
    let size = frame.size();
    let grey = |x: usize, y: usize| {
        let point = Point::new(i32::try_from(x).unwrap(), i32::try_from(y).unwrap());
        if frame.is_lit(point) { 255 } else { 0 }
    };
    let (across, down) = (usize::try_from(size.width).unwrap(), usize::try_from(size.height).unwrap());
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(across, down, grey);
    image.detect_grids().iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect()
}

fn picture(name: &str, pieces: &[Piece], width: Width) {
    let frame = draw(pieces, width.dots());
    assert_eq!(frame.size().width, width.dots());
    if let Some(folder) = std::env::var_os("HUFU_PICTURES") {
        std::fs::write(std::path::Path::new(&folder).join(name), frame.to_png()).unwrap();
    }
}

#[test]
fn a_ticket_is_read_back_from_its_bytes() {
    let pieces = pieces(&receipt(), &Profile::common(Width::Mm58));
    let expected = [
        "滨江会",
        "滨江一号案场 · 前台 2",
        "储值小票",
        "--------------------------------",
        "小票号             7F3A-1-000128",
        "业务日期              2026-11-22",
        "时间                    15:02:11",
        "会员                      张*喆",
        "支付方式                微信支付",
        "--------------------------------",
        "储值     +500.00",
        "储值前                  ￥734.50",
        "储值后                ￥1,234.50",
        "--------------------------------",
        "离线登记，联网后入账",
        "请妥善保管本小票",
    ];
    let read = texts(&pieces);
    for (met, wanted) in read.iter().zip(expected) {
        assert_eq!(met.replace(' ', ""), wanted.replace(' ', ""));
    }
    assert_eq!(read.len(), expected.len());
    let loud = |text: &str| {
        pieces.iter().any(
            |piece| matches!(piece, Piece::Text { text: t, bold: true, scale: 2, .. } if t.starts_with(text)),
        )
    };
    assert!(loud("滨江会") && loud("储值 "), "what people look for is large and heavy");
    assert!(pieces.contains(&Piece::Qr { data: "hufu1:7F3A-1-128".into(), module: 6 }));
    assert!(matches!(pieces[pieces.len() - 2..], [Piece::Feed(4), Piece::Cut]));
}

#[test]
fn the_paper_can_be_looked_at_and_its_codes_be_scanned() {
    for (width, name) in [(Width::Mm58, "58"), (Width::Mm80, "80")] {
        let common = Profile::common(width);
        for (profile, how) in
            [(common, "native"), (Profile { draws_qr: false, cuts: false, ..common }, "drawn")]
        {
            let pieces = pieces(&receipt(), &profile);
            assert_eq!(scanned(&pieces, width), ["hufu1:7F3A-1-128"], "{width:?} {how}");
            assert_eq!(pieces.contains(&Piece::Cut), profile.cuts);
            picture(&format!("receipt-{name}-{how}.png"), &pieces, width);
        }
    }
}

#[test]
fn characters_that_a_gbk_font_lacks_are_drawn_and_none_vanishes() {
    assert!(escpos::is_gbk("张喆堃玥 ￥1,234.50 ·") && !escpos::is_gbk("𬭎") && !escpos::is_gbk("㐂"));
    let ticket = Ticket {
        blocks: vec![Block::pair("会员", "𬭎䶮喆"), Block::heading("𬭎"), Block::text("张三")],
    };
    let common = Profile::common(Width::Mm58);
    let gbk = pieces(&ticket, &common);
    let drawn: Vec<&Piece> = gbk.iter().filter(|piece| matches!(piece, Piece::Picture { .. })).collect();
    assert_eq!(drawn.len(), 2);
    for piece in drawn {
        let Piece::Picture { dots, width: 384, .. } = piece else { panic!("{piece:?}") };
        assert!(dots.iter().filter(|dot| **dot).count() > 100);
    }
    assert_eq!(texts(&gbk), ["张三"]);
    picture("receipt-rare.png", &gbk, Width::Mm58);
    let all = pieces(&ticket, &Profile { font_is_gbk: false, ..common });
    assert!(texts(&all)[0].ends_with("𬭎䶮喆") && texts(&all)[0].starts_with("会员 "), "{all:?}");
}

/// What a printer of this port says while `with` uses it.
fn model() -> (ModelPrinter, Roll) {
    ModelPrinter::new()
}

fn tcp() -> (PrinterPort, Roll, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (mut model, roll) = model();
    let serving = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        model.serve(stream);
    });
    (PrinterPort::Tcp { address }, roll, serving)
}

fn on_a_pty() -> (PrinterPort, Roll, std::fs::File) {
    let (master, slave, path) = pty();
    let (mut model, roll) = model();
    std::thread::spawn(move || model.serve(master));
    (PrinterPort::Serial { path, baud: 9_600 }, roll, slave)
}

#[test]
fn a_network_printer_prints_and_says_how_it_is() {
    let (port, roll, serving) = tcp();
    let mut printer = EscPos::new(port, Profile::common(Width::Mm80));
    assert_eq!(printer.status(), Status::default());
    roll.set_near_end(true);
    assert_eq!(printer.status(), Status { paper: Paper::NearEnd, hindrance: None });
    printer.print(&receipt()).unwrap();
    let printed = read(&roll.printed()).unwrap();
    assert_eq!(printed, pieces(&receipt(), &Profile::common(Width::Mm80)));

    roll.set_cover_open(true);
    let error = printer.print(&receipt()).unwrap_err();
    assert_eq!((error.hindrance, error.begun), (Hindrance::CoverOpen, false));
    roll.set_cover_open(false);
    roll.set_silent(true);
    assert_eq!(printer.status().hindrance, Some(Hindrance::Silent));
    drop(printer);
    serving.join().unwrap();
}

#[test]
fn paper_that_ends_within_a_ticket_is_noticed() {
    let (port, roll, serving) = tcp();
    let mut printer = EscPos::new(port, Profile::common(Width::Mm80));
    roll.end_after(300);
    let error = printer.print(&receipt()).unwrap_err();
    assert_eq!((error.hindrance, error.begun), (Hindrance::PaperOut, true), "{error}");
    roll.set_paper_out(false);
    printer.print(&receipt()).unwrap();
    drop(printer);
    serving.join().unwrap();
}

#[test]
fn a_serial_printer_is_opened_again_after_it_was_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("printer");
    let mut printer =
        EscPos::new(PrinterPort::Serial { path: path.clone(), baud: 19_200 }, Profile::common(Width::Mm58));
    assert_eq!(printer.status().hindrance, Some(Hindrance::Unplugged));
    let (port, roll, _slave) = on_a_pty();
    let PrinterPort::Serial { path: real, .. } = port else { panic!("a pty is serial") };
    std::os::unix::fs::symlink(real, &path).unwrap();
    printer.print(&receipt()).unwrap();
    assert_eq!(read(&roll.printed()).unwrap(), pieces(&receipt(), &Profile::common(Width::Mm58)));
}

#[test]
fn a_device_file_answers_and_one_that_takes_nothing_ends_in_time() {
    let (master, slave, path) = pty();
    // As usblp: what is written arrives as it is, not as a terminal would change it.
    let mut raw = rustix::termios::tcgetattr(&slave).unwrap();
    raw.make_raw();
    rustix::termios::tcsetattr(&slave, rustix::termios::OptionalActions::Now, &raw).unwrap();
    let (mut model, roll) = model();
    let mut printer = EscPos::new(PrinterPort::Device { path: path.clone() }, Profile::common(Width::Mm58));
    let line = master.try_clone().unwrap();
    std::thread::spawn(move || model.serve(line));
    printer.print(&receipt()).unwrap();
    assert_eq!(read(&roll.printed()).unwrap(), pieces(&receipt(), &Profile::common(Width::Mm58)));

    // Nobody reads this one: its buffer fills.
    let (_master, slave, path) = pty();
    rustix::termios::tcsetattr(&slave, rustix::termios::OptionalActions::Now, &raw).unwrap();
    let profile = Profile { answers: false, ..Profile::common(Width::Mm80) };
    let mut stuck = EscPos::new(PrinterPort::Device { path }, profile);
    let long = Ticket { blocks: (0..200).flat_map(|_| receipt().blocks).collect() };
    let error = stuck.print(&long).unwrap_err();
    assert_eq!((error.hindrance, error.begun), (Hindrance::Unplugged, true));
}

#[test]
fn a_plain_file_takes_what_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lp0");
    let profile = Profile { answers: false, ..Profile::common(Width::Mm80) };
    let mut printer = EscPos::new(PrinterPort::Device { path: path.clone() }, profile);
    assert_eq!(printer.status().hindrance, Some(Hindrance::Unplugged), "a file is never made");
    std::fs::write(&path, []).unwrap();
    printer.print(&receipt()).unwrap();
    assert_eq!(read(&std::fs::read(&path).unwrap()).unwrap(), pieces(&receipt(), &profile));
}

proptest! {
    #[test]
    fn whatever_a_text_holds_no_command_comes_of_it(texts in proptest::collection::vec(".{0,30}", 1..6)) {
        let blocks = texts.iter().map(Block::text).collect();
        let profile = Profile { font_is_gbk: false, ..Profile::common(Width::Mm58) };
        let bytes = escpos::encode(&Ticket { blocks }, &profile, &Fonts::load());
        let cuts = read(&bytes).unwrap().into_iter().filter(|piece| *piece == Piece::Cut).count();
        prop_assert_eq!(cuts, 1);
    }

    #[test]
    fn text_comes_back_as_it_went(text in "[ -~一-龥㐀-䶵𠀀-𠀿·，。￥]{1,16}") {
        let profile = Profile { font_is_gbk: false, ..Profile::common(Width::Mm80) };
        let read = pieces(&Ticket { blocks: vec![Block::text(text.as_str())] }, &profile);
        let squeezed = |text: &str| text.replace([' ', '·'], "");
        prop_assert_eq!(squeezed(&texts(&read).concat()), squeezed(&text));
    }
}
