//! Pages of tablets and operators, and how many tablets there is room for.

use super::*;

/// What the board's own screen shows, whole for a browser without a daemon.
async fn own_page(board: &Board, path: &str, lang: &str) -> String {
    use tower::ServiceExt;
    let request = axum::http::Request::get(path)
        .header("host", "127.0.0.1")
        .header("cookie", format!("hufu-lang={lang}"));
    let request = request.body(axum::body::Body::empty()).unwrap();
    let answer = router(Arc::clone(&board.counter)).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    let mut html = String::from_utf8(body.to_vec()).unwrap();
    let files = crate::counter::assets::addresses();
    for (address, css) in [
        (&files.css, include_str!("../../../../assets/counter.css")),
        (&files.desk, include_str!("../../../../assets/desk.css")),
    ] {
        let link = format!("<link rel=\"stylesheet\" href=\"{address}\">");
        assert!(html.contains(&link), "{path} without {address}");
        html = html.replace(&link, &format!("<style>{css}</style>"));
    }
    html.replace("<html ", "<html class=\"js\" ")
}

/// `HUFU_PICTURES=folder cargo test -p hufu-edge tablets_and_operators_leave` writes what a browser can be shown.
#[tokio::test]
async fn tablets_and_operators_leave_pages_for_whoever_looks_at_them() {
    let folder = tempfile::tempdir().unwrap();
    let operator = |n: u8, name: &str, role| {
        let pin_file = folder.path().join(format!("{n}.pin"));
        std::fs::write(&pin_file, hash("271828").unwrap()).unwrap();
        std::fs::set_permissions(&pin_file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let id = hufu_shared::ids::OperatorId([n; 16]);
        crate::config::OperatorConfig { id, name: name.to_owned(), role, pin_file }
    };
    use crate::rules::operator::Role;
    let people = [
        operator(1, "王敏", Role::Clerk),
        operator(2, "欧阳丽", Role::Supervisor),
        operator(3, "李强", Role::Steward),
    ];
    let clock = Clock::new(Arc::new(crate::clock::SystemClock::start()), NOW);
    let operators = Operators::load(&people, booted(folder.path()), clock).unwrap();
    let board = board_of(Arc::new(operators)).await;
    let pictures = std::env::var_os("HUFU_PICTURES").map(std::path::PathBuf::from);
    let leave = |name: &str, lang: &str, html: &str| {
        let Some(folder) = &pictures else { return };
        std::fs::write(folder.join(format!("{name}-{lang}.html")), html).unwrap();
    };
    let tablet = board.paired("前台 1").await;
    board.paired("宴会厅门口 iPad").await;
    let _live = tablet.send(Method::GET, "/live", "", &[]).await;
    for (lang, wrong, sign_in) in [("zh-CN", "还可输入 4 次", "王敏"), ("en", "Tries left: 4", "supervisor")]
    {
        let list = own_page(&board, "/tablets", lang).await;
        assert!(list.contains("宴会厅门口 iPad") && list.contains("value=\"offer\""));
        leave("tablets", lang, &list);
        board.tablets.offer().unwrap();
        let offered = own_page(&board, "/tablets", lang).await;
        assert!(offered.contains(&grouped(&board.code())), "the board's own screen shows the code");
        leave("tablets-code", lang, &offered);
        let stranger = board.tablet();
        let code = if board.code() == "00000000" { "11111111" } else { "00000000" };
        let cookie = format!("hufu-lang={lang}");
        let tried =
            stranger.send(Method::POST, "/pair", &format!("code={code}"), &[("cookie", &cookie)]).await;
        let tried = tried.text().await.unwrap();
        assert!(tried.contains(wrong), "{tried}");
        leave("pair", lang, &tried);
        let pin = own_page(&board, "/pin?needs=supervisor", lang).await;
        assert!(pin.contains(sign_in) && pin.contains("maxlength=\"6\""), "{pin}");
        leave("pin", lang, &pin);
        board.tablets.withdraw();
    }
}

#[tokio::test]
async fn no_more_tablets_are_paired_than_there_is_room_for_and_old_ones_make_room() {
    let folder = tempfile::tempdir().unwrap();
    let (hands, said) = (Arc::<Hands>::default(), Arc::default());
    let tablets = book(booted(folder.path()), &hands, &said);
    for _ in 0..TABLETS_MAX {
        tablets.pair(&tablets.offer().unwrap().code, "").unwrap();
    }
    assert!(matches!(tablets.offer(), Err(PairingError::Full)));
    hands.pass(pairing::IDLE_MAX_US + 1);
    assert_eq!(tablets.list(), []);
    tablets.offer().expect("there is room again");
    tablets.withdraw();
    assert!(tablets.offered().is_none());
    assert_eq!(said.lock().unwrap().last(), Some(&Announcement::Over));
}
