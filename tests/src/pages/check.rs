//! One scene in the browser: opened as staff would, then asked by axe-core, and measured against its screen.

use super::Look;
use super::routes::Method;
use super::scenes::Scene;
use super::serve::Served;
use crate::kit::browser::Browser;
use crate::kit::process::tree_root;
use anyhow::{Context as _, Result, bail, ensure};
use hufu_edge::counter::tablets::gate::PAIR_PATH;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// The rules asked: WCAG 2.2 AA and what is good practice besides.
const TAGS: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/// Where axe-core lies in the tree.
const AXE: &str = "tests/vendor/axe-core/axe.min.js";
/// Beginnings of text keys: one that shows is a text that is missing.
const KEYS: [&str; 3] = ["counter-", "desk-", "{$"];

/// axe-core, read once.
#[derive(Clone, Debug)]
pub struct Axe(String);

impl Axe {
    /// From the tree.
    ///
    /// # Errors
    /// When it is not there.
    pub fn load() -> Result<Self> {
        let path = tree_root().join(AXE);
        let text = std::fs::read_to_string(&path);
        Ok(Self(text.with_context(|| format!("failed to read {}", path.display()))?))
    }

    /// What is wrong with the page that is open, one line each; empty if nothing is.
    ///
    /// # Errors
    /// When the browser cannot run it.
    pub async fn violations(&self, browser: &Browser) -> Result<Vec<String>> {
        let driver = browser.driver();
        driver.execute(&self.0, Vec::new()).await.context("failed to load axe-core")?;
        let ask = "return axe.run(document, { runOnly: { type: 'tag', values: arguments[0] }, resultTypes: ['violations'] })
            .then((met) => met.violations.map((rule) => [rule.id, rule.help,
                rule.nodes.map((node) => node.target.join(' ') + ': ' + (node.failureSummary ?? '')).join(' | ')]));";
        let answer = driver.execute(ask, vec![json!(TAGS)]).await.context("axe-core did not run")?;
        let Value::Array(rules) = answer.json().clone() else { bail!("axe-core answered {}", answer.json()) };
        Ok(rules.iter().map(|rule| format!("{}: {}: {}", rule[0], rule[1], rule[2])).collect())
    }
}

/// Opens a scene in a way to look; nothing is judged yet.
///
/// # Errors
/// When the browser cannot.
pub async fn open(browser: &Browser, served: &Served, (scene, look): (&Scene, Look)) -> Result<()> {
    served.show(scene);
    browser.resize(look.size.0, look.size.1).await?;
    for (name, value) in [("lang", look.language), ("theme", look.theme)] {
        let cookie =
            json!({ "name": format!("hufu-{name}"), "value": value, "url": served.url, "path": "/" });
        let set = browser.driver().cdp().send_raw("Network.setCookie", cookie).await;
        set.context("failed to choose language and theme")?;
    }
    let origin = if scene.route.address == PAIR_PATH { &served.gate } else { &served.url };
    let page = |path: &str| format!("{origin}{path}");
    match scene.route.method {
        Method::Get => browser.open(&page(&scene.path)).await?,
        Method::Post => {
            // The page's script has its own way with forms; this one goes as it goes without script.
            browser.open(&page("/help")).await?;
            let send = "const form = document.createElement('form');
                form.method = 'post';
                form.action = arguments[0];
                for (const [name, value] of arguments[1]) {
                    const field = document.createElement('input');
                    [field.type, field.name, field.value] = ['hidden', name, value];
                    form.append(field);
                }
                document.body.append(form);
                window.leaving = true;
                HTMLFormElement.prototype.submit.call(form);";
            let fields: Vec<Value> = scene.fields.iter().map(|(name, value)| json!([name, value])).collect();
            let driver = browser.driver();
            driver.execute(send, vec![json!(page(&scene.path)), json!(fields)]).await?;
            let gone = "return window.leaving !== true && document.readyState === 'complete';";
            for _ in 0..200 {
                if driver.execute(gone, Vec::new()).await.is_ok_and(|met| met.json() == &json!(true)) {
                    return Ok(());
                }
                tokio::time::sleep(std::time::Duration::from_millis(25)).await;
            }
            bail!("the answer to the form did not come");
        }
    }
    Ok(())
}

/// Opens a scene and judges it. With `pictures`, leaves a picture of it there.
///
/// # Errors
/// Everything that is wrong with it, in one text.
pub async fn scene(
    browser: &Browser,
    axe: &Axe,
    served: &Served,
    met: (&Scene, Look),
    pictures: Option<&Path>,
) -> Result<()> {
    let (scene, look) = met;
    open(browser, served, met).await?;
    if let Some(folder) = pictures {
        let name = format!("{}-{}-{}-{}.png", scene.name, look.language, look.theme, look.size.0);
        std::fs::create_dir_all(folder).context("failed to make the folder of the pictures")?;
        std::fs::write(folder.join(name), browser.whole_page().await?)
            .context("failed to write a picture")?;
    }
    let mut wrong = axe.violations(browser).await?;
    let text = browser.text().await?;
    wrong
        .extend(KEYS.iter().filter(|key| text.contains(*key)).map(|key| format!("a text is missing: {key}")));
    ensure!(!text.trim().is_empty(), "{} in {look:?}: an empty page", scene.name);
    let measure =
        "const [have, need] = [document.documentElement.clientWidth, document.documentElement.scrollWidth];
        return [have, need, document.documentElement.lang, document.documentElement.dataset.theme];";
    let measured = browser.driver().execute(measure, Vec::new()).await?.json().clone();
    if measured[1].as_i64() > measured[0].as_i64() {
        wrong.push(format!("wider than its screen: {} of {} px", measured[1], measured[0]));
    }
    // A stranger has chosen no theme yet.
    let is_theme = measured[3] == json!(look.theme) || scene.route.address == PAIR_PATH;
    if measured[2] != json!(look.language) || !is_theme {
        wrong.push(format!("in another language or theme: {measured}"));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let mut said = format!("{} in {look:?}:", scene.name);
    for line in wrong {
        let _ = write!(said, "\n  {line}");
    }
    bail!(said)
}
