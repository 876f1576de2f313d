//! A terminal's counter page as a program uses it: its state as JSON, and its forms.

use crate::kit::{clock, http};
use anyhow::{Context as _, Result, ensure};
use reqwest::Client;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::runtime::Runtime;

/// A client of one counter page.
#[derive(Debug)]
pub struct Counter {
    url: String,
    client: Client,
    runtime: Runtime,
}

impl Counter {
    /// A client of the page at `url`, without a trailing slash.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn at(url: String) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { url, client: http::plain_client()?, runtime })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything that the page shows now.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn state(&self) -> Result<Value> {
        let url = format!("{}/state.json", self.url);
        let (status, text) = self.runtime.block_on(http::get_text(&self.client, &url))?;
        ensure!(status.is_success(), "{url} answered {status}: {text}");
        let mut state: Value = serde_json::from_str(&text).context("the state is no JSON")?;
        Ok(state["view"].take())
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.url);
        let (status, text) = self.runtime.block_on(async {
            let answer = self.client.post(&url).json(body).send().await?;
            anyhow::Ok((answer.status(), answer.text().await?))
        })?;
        ensure!(status.is_success(), "{url} answered {status} to {body}: {text}");
        let mut state: Value = serde_json::from_str(&text).context("the answer is no JSON")?;
        Ok(state["view"].take())
    }

    /// Sends JSON to one of its forms; the state after it.
    ///
    /// # Errors
    /// When the page declines.
    pub fn send(&self, path: &str, body: &Value) -> Result<Value> {
        self.post(path, body)
    }

    /// One of its pages, as a browser without choices gets it.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn page(&self, path: &str) -> Result<String> {
        let url = format!("{}{path}", self.url);
        let (status, text) = self.runtime.block_on(http::get_text(&self.client, &url))?;
        ensure!(status.is_success(), "{url} answered {status}: {text}");
        Ok(text)
    }

    /// Sets it to check in to the activity that runs now.
    ///
    /// # Errors
    /// When none runs or the page declines.
    pub fn check_in_to_what_runs(&self) -> Result<()> {
        let state = self.state()?;
        let running = state["activities"].as_array().into_iter().flatten().find(|row| row["running"] == true);
        let id = running.and_then(|row| row["occurrence"].as_str()).context("no activity runs now")?;
        self.post("/mode", &json!({ "mode": id })).map(drop)
    }

    /// Sets what the next card means, as a program says it.
    ///
    /// # Errors
    /// When the page declines.
    pub fn set_mode(&self, mode: &Value) -> Result<()> {
        self.post("/mode", mode).map(drop)
    }

    /// Sets it to earn on a purchase of so many yuan.
    ///
    /// # Errors
    /// When the page declines.
    pub fn earn(&self, yuan: &str) -> Result<()> {
        self.post("/mode", &json!({ "mode": "earn", "amount": yuan })).map(drop)
    }

    /// Types a card's number and confirms the member that it names.
    ///
    /// # Errors
    /// When the page declines or finds nobody.
    pub fn type_and_confirm(&self, number: &str) -> Result<()> {
        let state = self.post("/typed", &json!({ "number": number }))?;
        // The page's snapshot may come a moment after the order's answer.
        let candidate = match state["candidate"]["n"].as_u64() {
            Some(n) => n,
            None => {
                self.wait("a candidate", Duration::from_secs(5), |state| state["candidate"]["n"].as_u64())?
            }
        };
        self.post("/typed/verdict", &json!({ "n": candidate, "verdict": "yes" })).map(drop)
    }

    /// Waits until the page's state has something; says the last state if it does not come.
    ///
    /// # Errors
    /// When the time limit passes.
    pub fn wait<T>(&self, what: &str, limit: Duration, look: impl Fn(&Value) -> Option<T>) -> Result<T> {
        let mut last = "no answer".to_owned();
        let found = clock::poll(limit, || match self.state() {
            Ok(state) => {
                let found = look(&state);
                last = state.to_string();
                found
            }
            Err(error) => {
                last = format!("{error:#}");
                None
            }
        });
        found.with_context(|| format!("{} gave no {what} within {limit:?}: {last}", self.url))
    }

    /// Waits for a result that was not there before `n`; its outcome and reason as the page names them.
    ///
    /// # Errors
    /// When none comes in time.
    pub fn wait_result(&self, after: u64, limit: Duration) -> Result<Value> {
        self.wait("new result", limit, |state| {
            let result = &state["result"];
            let settled = result["outcome"]["kind"] != "keep_still" && state["asking"].is_null();
            (result["n"].as_u64()? > after && settled).then(|| result.clone())
        })
    }

    /// Number of the newest result, 0 for none.
    ///
    /// # Errors
    /// When the page does not answer.
    pub fn result_n(&self) -> Result<u64> {
        Ok(self.state()?["result"]["n"].as_u64().unwrap_or(0))
    }
}
