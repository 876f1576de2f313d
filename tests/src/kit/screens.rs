//! `screens`: pictures of pages as a person sees them, at given sizes, signed in where a page asks for it.
//!
//! Exit code 1 when a page cannot be had; the pictures are for eyes, nothing is compared.

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use hufu_tests::kit::browser::Browser;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use thirtyfour::By;

/// How long a page gets after signing in.
const SIGN_IN_WAIT_MS: u64 = 1_500;
const SIZE_MAX: u32 = 4_000;

/// Takes pictures of pages.
#[derive(Parser)]
struct Arguments {
    /// Folder of the pictures
    #[arg(long)]
    out: PathBuf,
    /// Language that the browser prefers
    #[arg(long, default_value = "zh-CN")]
    language: String,
    /// Signs in first: the page with the form, the user, the password
    #[arg(long, num_args = 3, value_names = ["URL", "USER", "PASSWORD"])]
    sign_in: Option<Vec<String>>,
    /// NAME=URL@WIDTHxHEIGHT
    #[arg(required = true)]
    pages: Vec<Page>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Page {
    name: String,
    url: String,
    width: u32,
    height: u32,
}

impl FromStr for Page {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let expected = || format!("`{text}`: expected NAME=URL@WIDTHxHEIGHT, sizes 1 to {SIZE_MAX}");
        let (name, rest) = text.split_once('=').with_context(expected)?;
        let (url, size) = rest.rsplit_once('@').with_context(expected)?;
        let (width, height) = size.split_once('x').with_context(expected)?;
        let (width, height) = (width.parse().with_context(expected)?, height.parse().with_context(expected)?);
        let fits = |length: u32| (1..=SIZE_MAX).contains(&length);
        ensure!(fits(width) && fits(height) && !name.is_empty() && !name.contains('/'), expected());
        Ok(Self { name: name.to_owned(), url: url.to_owned(), width, height })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let browser = Browser::start(&arguments.language).await?;
    if let Some([url, user, password]) = arguments.sign_in.as_deref() {
        sign_in(&browser, url, user, password).await?;
    }
    for page in &arguments.pages {
        browser.resize(page.width, page.height).await?;
        browser.open(&page.url).await?;
        let path = arguments.out.join(format!("{}-{}x{}.png", page.name, page.width, page.height));
        browser.screenshot_to(&path, page.width, page.height).await?;
        println!("{}", path.display());
    }
    browser.quit().await
}

async fn sign_in(browser: &Browser, url: &str, user: &str, password: &str) -> Result<()> {
    browser.open(url).await?;
    let driver = browser.driver();
    let fields = [("input[type=text], input:not([type])", user), ("input[type=password]", password)];
    for (selector, value) in fields {
        let field =
            driver.find(By::Css(selector)).await.with_context(|| format!("{url} has no {selector}"))?;
        field.send_keys(value).await.context("failed to type")?;
    }
    let button = driver.find(By::Css("button[type=submit], form button")).await;
    button.with_context(|| format!("{url} has no button"))?.click().await.context("failed to sign in")?;
    tokio::time::sleep(Duration::from_millis(SIGN_IN_WAIT_MS)).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read_and_wrong_ones_refused() {
        let page: Page = "inbox=http://u@127.0.0.1:1/cases?a=b@1440x900".parse().expect("it is right");
        assert_eq!(
            (page.url.as_str(), page.width, page.height),
            ("http://u@127.0.0.1:1/cases?a=b", 1440, 900)
        );
        for text in ["a", "a=b", "a=b@1x", "=b@1x1", "a/b=c@1x1", "a=b@0x1", "a=b@1x9999"] {
            assert!(text.parse::<Page>().is_err(), "{text}");
        }
    }
}
