//! `counter-pages`: every page of the counter in a real browser, in each language, theme and width, asked by axe-core.
//!
//! Exit code 1 when anything is wrong, or when the first paint takes too long; pictures are left for eyes.

use anyhow::{Result, bail, ensure};
use clap::Parser;
use hufu_tests::kit::browser::Browser;
use hufu_tests::kit::process::tree_root;
use hufu_tests::pages::check::{self, Axe};
use hufu_tests::pages::serve::Served;
use hufu_tests::pages::{complete, paint, product, routes, scenes, spread};
use std::path::PathBuf;

/// Visits every page of the counter.
#[derive(Parser)]
struct Arguments {
    /// Folder of the pictures
    #[arg(long)]
    out: Option<PathBuf>,
    /// Each page once, the ways to look spread over them
    #[arg(long)]
    quick: bool,
    /// Only scenes whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Only how soon each page is painted
    #[arg(long)]
    paint: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut scenes = scenes::all();
    complete(&routes::of_counter(&tree_root())?, &scenes)?;
    scenes.retain(|scene| scene.name.contains(&arguments.only));
    ensure!(!scenes.is_empty(), "no scene is called {:?}", arguments.only);
    let (served, browser) = (Served::start().await?, Browser::start("zh-CN").await?);
    let mut wrong = 0_usize;
    if !arguments.paint {
        let axe = Axe::load()?;
        let visits = if arguments.quick { spread(&scenes) } else { product(&scenes) };
        for met in &visits {
            if let Err(error) = check::scene(&browser, &axe, &served, *met, arguments.out.as_deref()).await {
                wrong += 1;
                println!("{error:#}");
            }
        }
        println!("{} scenes in {} visits, {wrong} with something wrong", scenes.len(), visits.len());
    }
    let paints = paint::each(&browser, &served, &scenes).await?;
    println!("{paints}");
    browser.quit().await?;
    if wrong > 0 || !paints.is_within() {
        bail!("not every page is as it must be");
    }
    Ok(())
}
