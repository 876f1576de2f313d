//! A terminal's counter page as the harness uses it: a page that does not answer is no error, for its terminal may
//! have been killed while it was asked.

use crate::kit::http;
use anyhow::{Context as _, Result};
use reqwest::Client;
use serde_json::Value;
use tokio::runtime::Runtime;

/// A client of one counter page.
#[derive(Debug)]
pub struct Page {
    url: String,
    client: Client,
    runtime: Runtime,
}

impl Page {
    /// A client of the page at `url`.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn at(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { url: url.to_owned(), client: http::plain_client()?, runtime })
    }

    /// What the page shows; none without an answer.
    #[must_use]
    pub fn view(&self) -> Option<Value> {
        let (status, mut answer) = self.answer(self.client.get(format!("{}/state.json", self.url)))?;
        (status == 200).then(|| answer["view"].take())
    }

    /// Sends an order; its status and what the page shows then, none without an answer.
    #[must_use]
    pub fn order(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let (status, mut answer) = self.answer(self.client.post(format!("{}{path}", self.url)).json(body))?;
        Some((status, answer["view"].take()))
    }

    /// Forgets open connections: the next start of the terminal has none of them.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn renew(&mut self) -> Result<()> {
        self.client = http::plain_client().context("failed to make another client")?;
        Ok(())
    }

    fn answer(&self, request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
        self.runtime.block_on(async {
            let answer = request.send().await.ok()?;
            let status = answer.status().as_u16();
            let text = answer.text().await.ok()?;
            // Cut short by the kill: that is no answer.
            serde_json::from_str(&text).ok().map(|value| (status, value))
        })
    }
}
