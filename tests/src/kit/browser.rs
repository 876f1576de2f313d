//! A headless Chromium behind its own chromedriver, with an empty profile: what a person would see, as PNG.
//!
//! The flags keep it from talking to anything but the page under test. Out of scope: other browsers.

use super::clock;
use super::http::use_ring;
use super::process::{Program, free_port};
use anyhow::{Context as _, Result, bail};
use data_encoding::BASE64;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use thirtyfour::{ChromiumLikeCapabilities as _, DesiredCapabilities, WebDriver};

const CHROMEDRIVERS: [&str; 2] = ["/usr/bin/chromedriver", "/usr/local/bin/chromedriver"];
const CHROMIUMS: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const START_LIMIT_MS: u64 = 30_000;
/// How long fonts and layout get to settle before a picture is taken.
const SETTLE_MS: u64 = 300;

/// A running browser; [`Browser::quit`] ends it politely, dropping it ends it all the same.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    program: Program,
    _profile: TempDir,
}

impl Browser {
    /// Starts chromedriver and a headless Chromium that prefers `language` (`zh-CN` or `en`).
    ///
    /// # Errors
    /// When either is not installed or does not start in time.
    pub async fn start(language: &str) -> Result<Self> {
        use_ring();
        let profile =
            tempfile::Builder::new().prefix("hufu-browser-").tempdir().context("failed to make a profile")?;
        let port = free_port()?;
        let mut command = Command::new(installed(&CHROMEDRIVERS, "chromium-driver")?);
        command.arg(format!("--port={port}"));
        let mut program = Program::spawn("chromedriver", command, &profile.path().join("chromedriver.log"))?;
        program.wait_for("listening port", Duration::from_millis(START_LIMIT_MS), |_| {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        })?;
        let mut wishes = DesiredCapabilities::chrome();
        wishes.set_binary(installed(&CHROMIUMS, "chromium")?)?;
        let data = format!("--user-data-dir={}", profile.path().join("data").display());
        let lang = format!("--lang={language}");
        for flag in [
            "--headless",
            // What is still moving is neither judged nor pictured.
            "--force-prefers-reduced-motion",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            &data,
            &lang,
        ] {
            wishes.add_arg(flag)?;
        }
        wishes.add_experimental_option("prefs", json!({ "intl.accept_languages": language }))?;
        let driver = WebDriver::new(&format!("http://127.0.0.1:{port}"), wishes)
            .await
            .context("failed to start the browser")?;
        Ok(Self { driver, program, _profile: profile })
    }

    /// The WebDriver session, for finding and clicking.
    #[must_use]
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// Opens a page and waits until it is loaded.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub async fn open(&self, url: &str) -> Result<()> {
        self.driver.goto(url).await.with_context(|| format!("failed to open {url}"))
    }

    /// Makes the page `width` x `height` CSS pixels, without a window frame.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.driver
            .cdp()
            .send_raw("Emulation.setDeviceMetricsOverride", metrics)
            .await
            .context("failed to resize the page")?;
        Ok(())
    }

    /// The visible part of the page at that size, as PNG bytes.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn screenshot(&self, width: u32, height: u32) -> Result<Vec<u8>> {
        self.resize(width, height).await?;
        tokio::time::sleep(Duration::from_millis(SETTLE_MS)).await;
        let answer = self
            .driver
            .cdp()
            .send_raw("Page.captureScreenshot", json!({ "format": "png" }))
            .await
            .context("failed to take the picture")?;
        picture(&answer)
    }

    /// As [`Browser::screenshot`], into a file.
    ///
    /// # Errors
    /// As [`Browser::screenshot`], or when the file cannot be written.
    pub async fn screenshot_to(&self, path: &Path, width: u32, height: u32) -> Result<()> {
        let png = self.screenshot(width, height).await?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("failed to make {}", folder.display()))?;
        }
        std::fs::write(path, png).with_context(|| format!("failed to write {}", path.display()))
    }

    /// The page from top to bottom at the size that it has, as PNG bytes.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn whole_page(&self) -> Result<Vec<u8>> {
        let cdp = self.driver.cdp();
        let metrics =
            cdp.send_raw("Page.getLayoutMetrics", json!({})).await.context("failed to measure the page")?;
        let size = &metrics["cssContentSize"];
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        let wish = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let taken = cdp.send_raw("Page.captureScreenshot", wish).await;
        picture(&taken.context("failed to take the picture")?)
    }

    /// The text that a person can read on the page.
    ///
    /// # Errors
    /// When the page has no body.
    pub async fn text(&self) -> Result<String> {
        let body =
            self.driver.find(thirtyfour::By::Tag("body")).await.context("failed to find the page's body")?;
        body.text().await.context("failed to read the page's text")
    }

    /// Waits until the page's text contains `needle`.
    ///
    /// # Errors
    /// When it does not within the limit; shows what is there instead.
    pub async fn wait_for_text(&self, needle: &str, limit: Duration) -> Result<()> {
        let end = clock::now() + limit;
        loop {
            // A page that reloads has no body for a moment.
            let text = self.text().await.unwrap_or_default();
            if text.contains(needle) {
                return Ok(());
            }
            if clock::now() >= end {
                bail!("the page does not say `{needle}` within {limit:?}; it says:\n{text}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends the browser and its driver.
    ///
    /// # Errors
    /// When the browser does not answer or the driver does not end.
    pub async fn quit(mut self) -> Result<()> {
        self.driver.clone().quit().await.context("failed to quit the browser")?;
        self.program.stop().map(drop)
    }
}

fn picture(answer: &serde_json::Value) -> Result<Vec<u8>> {
    let data = answer["data"].as_str().context("the browser gave no picture")?;
    BASE64.decode(data.as_bytes()).context("the picture is not base64")
}

fn installed(places: &[&'static str], package: &str) -> Result<&'static str> {
    match places.iter().find(|path| Path::new(path).is_file()) {
        Some(path) => Ok(path),
        None => bail!("none of {places:?} is there: install the package {package}"),
    }
}
