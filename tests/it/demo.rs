//! The demo as a newcomer walks through it, in a real browser: each tick comes, and comes from real facts; Ctrl-C ends
//! everything. With `HUFU_PICTURES=folder` it leaves the pictures of the README there.

use anyhow::{Context as _, Result, ensure};
use hufu_tests::kit::browser::Browser;
use hufu_tests::kit::clock;
use hufu_tests::kit::http::block_on;
use hufu_tests::kit::process::{Program, program};
use rustix::process::Signal;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use thirtyfour::By;

const START_LIMIT: Duration = Duration::from_secs(240);
const LIMIT: Duration = Duration::from_secs(60);
const STEPS: usize = 9;
/// Widest picture of the README.
const WIDE: (u32, u32) = (1440, 900);
const PHONE: (u32, u32) = (390, 844);

/// A running demo and a browser on its page.
struct Walk {
    demo: Program,
    browser: Browser,
    counters: [String; 2],
    console: String,
    demo_url: String,
    password: String,
    pictures: Option<PathBuf>,
    _folder: tempfile::TempDir,
}

impl Walk {
    async fn begin() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(program("demo")?);
        command.args(["--listen", "127.0.0.1:0", "--members", "300"]);
        let mut demo = Program::spawn("demo", command, &folder.path().join("demo.log"))?;
        demo.wait_for_line("admin / ", START_LIMIT)?;
        let log = demo.log();
        let after = |label: &str| -> Result<String> {
            let line =
                log.lines().find(|line| line.contains(label)).with_context(|| format!("no {label}"))?;
            Ok(line.split_whitespace().last().unwrap_or_default().trim_end_matches('/').to_owned())
        };
        let browser = Browser::start("zh-CN").await?;
        browser.resize(WIDE.0, WIDE.1).await?;
        browser.open(&after("演示 demo")?).await?;
        let pictures = std::env::var_os("HUFU_PICTURES").map(PathBuf::from);
        Ok(Self {
            counters: [after("counter A")?, after("counter B")?],
            console: after("console")?,
            demo_url: after("演示 demo")?,
            password: after("admin / ")?,
            demo,
            browser,
            pictures,
            _folder: folder,
        })
    }

    async fn click(&self, selector: &str) -> Result<()> {
        let end = clock::now() + LIMIT;
        loop {
            let found = self.browser.driver().find(By::Css(selector)).await;
            let done = match found {
                Ok(element) => element.click().await,
                Err(error) => Err(error),
            };
            match done {
                Ok(()) => return Ok(()),
                Err(error) if clock::now() >= end => {
                    return Err(error).with_context(|| format!("failed to click {selector}"));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    async fn type_into(&self, selector: &str, text: &str) -> Result<()> {
        let end = clock::now() + LIMIT;
        loop {
            match self.browser.driver().find(By::Css(selector)).await {
                Ok(field) => return field.send_keys(text).await.context("failed to type"),
                Err(error) if clock::now() >= end => {
                    return Err(error).with_context(|| format!("no {selector}"));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Presents a card by its button: `kind` is how the label ends.
    async fn present(&self, name: &str, kind: &str) -> Result<()> {
        self.click(&format!("[data-card=\"{name}（{kind}）\"]:enabled")).await
    }

    async fn wait_tick(&self, step: usize) -> Result<()> {
        let selector = format!("ol > li:nth-child({step}).done");
        let end = clock::now() + LIMIT;
        while self.browser.driver().find(By::Css(&selector)).await.is_err() {
            ensure!(clock::now() < end, "step {step} was not ticked: {}", self.browser.text().await?);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    async fn ticks(&self) -> Result<usize> {
        Ok(self.browser.driver().find_all(By::Css("ol > li.done")).await?.len())
    }

    async fn enter_console(&self) -> Result<()> {
        let frame = self.browser.driver().find(By::Css("iframe[name=console]")).await?;
        frame.enter_frame().await.context("failed to enter the console")
    }

    async fn leave(&self) -> Result<()> {
        self.browser.driver().enter_default_frame().await.context("failed to leave the frame")
    }

    async fn picture(&self, name: &str, size: (u32, u32)) -> Result<()> {
        if let Some(folder) = &self.pictures {
            self.browser.screenshot_to(&folder.join(format!("{name}.png")), size.0, size.1).await?;
            self.browser.resize(WIDE.0, WIDE.1).await?;
        }
        Ok(())
    }

    async fn sign_in(&self) -> Result<()> {
        self.enter_console().await?;
        self.type_into("#login", "admin").await?;
        self.type_into("#password", &self.password).await?;
        self.click("form button[type=submit], form.fields button, form button:not(.link)").await?;
        self.browser.wait_for_text("今日概览", LIMIT).await?;
        self.leave().await
    }

    async fn decide_a_case(&self) -> Result<()> {
        self.click("a[target=console][href$=\"/cases\"]").await?;
        self.enter_console().await?;
        self.browser.wait_for_text("两台终端", LIMIT).await?;
        let group = "//aside//h2[contains(.,'两台终端')]/following-sibling::ul[1]//a";
        self.browser.driver().find(By::XPath(group)).await?.click().await?;
        self.type_into("#reason", "两个案场均有签到，先到者有效").await?;
        self.click(".verdicts button").await?;
        self.leave().await
    }

    async fn report_a_card_lost(&self) -> Result<()> {
        self.click("a[target=console][href$=\"/members\"]").await?;
        self.enter_console().await?;
        self.browser.wait_for_text("会员", LIMIT).await?;
        self.type_into("header input[name=find]", "司马若曦\n").await?;
        self.browser.wait_for_text("M000006", LIMIT).await?;
        self.click("main a[href^=\"/members/\"]").await?;
        self.type_into("form.inline input[name=reason]", "会员来电挂失").await?;
        self.click("form.inline button.danger").await?;
        self.leave().await
    }

    /// Pictures of the pages one by one, after the walk.
    async fn more_pictures(&self) -> Result<()> {
        if self.pictures.is_none() {
            return Ok(());
        }
        self.browser.open(&format!("{}/cases", self.console)).await?;
        self.browser.driver().find(By::XPath("//aside//a[contains(.,'禤')]")).await?.click().await?;
        self.browser.wait_for_text("两台终端重复签到", LIMIT).await?;
        self.picture("inbox", WIDE).await?;
        self.browser.open(&self.console).await?;
        self.picture("console", WIDE).await?;
        self.browser.open(&self.demo_url).await?;
        self.present("张喆", "芯片卡").await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        for (name, size) in [("counter", (1280, 800)), ("counter-phone", PHONE)] {
            self.browser.resize(size.0, size.1).await?;
            self.browser.open(&self.counters[0]).await?;
            self.picture(name, size).await?;
        }
        Ok(())
    }
}

#[test]
fn demo_pcscd_every_tick_comes_from_real_facts_and_ctrl_c_ends_all() -> Result<()> {
    block_on(async {
        let mut walk = Walk::begin().await?;
        walk.sign_in().await?;
        ensure!(walk.ticks().await? == 0, "something is ticked before anything was done");
        walk.present("欧阳堃玥", "芯片卡").await?;
        walk.wait_tick(1).await?;
        walk.present("欧阳堃玥", "芯片卡").await?;
        walk.wait_tick(2).await?;
        walk.click("[data-act=cut]").await?;
        walk.wait_tick(3).await?;
        walk.present("禤国强", "芯片卡").await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        walk.present("禤国强", "磁条卡").await?;
        walk.wait_tick(4).await?;
        walk.picture("demo", WIDE).await?;
        walk.click("[data-act=power_cut]").await?;
        walk.wait_tick(5).await?;
        ensure!(walk.ticks().await? == 5, "a step was ticked that nobody took");
        walk.click("[data-act=mend]").await?;
        walk.wait_tick(6).await?;
        walk.decide_a_case().await?;
        walk.wait_tick(7).await?;
        walk.report_a_card_lost().await?;
        walk.wait_tick(8).await?;
        walk.click("[data-act=compare]").await?;
        walk.wait_tick(9).await?;
        ensure!(walk.ticks().await? == STEPS);
        walk.browser.wait_for_text("账实相符", LIMIT).await?;
        walk.picture("demo-done", WIDE).await?;
        walk.picture("demo-phone", PHONE).await?;
        walk.more_pictures().await?;
        let ports: Vec<String> = [&walk.counters[0], &walk.counters[1], &walk.console]
            .iter()
            .map(|url| url.trim_start_matches("http://").to_owned())
            .collect();
        walk.demo.signal(Signal::INT)?;
        let ended = walk.demo.wait_exit(LIMIT)?;
        ensure!(ended.success(), "the demo ended with {ended}: {}", walk.demo.log());
        for port in ports {
            ensure!(TcpStream::connect(&port).is_err(), "something still answers on {port}");
        }
        walk.browser.quit().await
    })
}
