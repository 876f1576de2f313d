//! The main story, played with real processes: cards over pcscd, stripes over a pty, TLS over a cable that breaks.
//!
//! A centre and two terminals run as they ship; hands, cards, cables and power are the kit's. While the story is played
//! a model is told what was done; at the end journals, central database and model are compared by the kit's own reading
//! of the files. `deploy/demo.sh --check` and the end-to-end tests play it. Out of scope: browsers and looks.

pub mod books;
pub mod centre;
pub mod check;
pub mod cli;
pub mod club;
pub mod counter;
pub mod journal;
pub mod model;
pub mod panel;
pub mod scenes;
pub mod session;
pub mod stage;
pub mod terminal;

use anyhow::{Context as _, Result};
use books::Engine;
use check::{Side, Tally};
use club::Cast;
use model::{Model, Place};
use stage::Stage;
use std::path::Path;

/// A story that was played to its end, with the books that matched.
#[derive(Debug)]
pub struct Played {
    /// Their figures.
    pub tally: Tally,
    /// The terminals' side.
    pub sides: [Side; 2],
    /// The centre's database.
    pub engine: Engine,
    /// What was done.
    pub model: Model,
}

/// Plays the whole story in `folder`. `postgres` is the centre's database, the embedded one without; `uploads_first`
/// says whose queue reaches the centre first when it comes back; `say` hears of each scene.
///
/// # Errors
/// When a scene fails or the books do not match; says which scene.
pub fn play(
    folder: &Path,
    postgres: Option<&str>,
    uploads_first: Place,
    say: impl Fn(&str),
) -> Result<Played> {
    let cast = Cast::new();
    let said = |scene: &str| {
        say(scene);
        format!("in the scene `{scene}`; logs and data lie in {}", folder.display())
    };
    let scene = said("a club is founded, two terminals enrol");
    let mut stage = Stage::build(folder, postgres, &cast).context(scene)?;
    let scene = said("a card at A is checked in once, however often it comes");
    scenes::greets_once(&mut stage, &cast).context(scene)?;
    let scene = said("a purchase of 320 yuan at B earns 6 points");
    scenes::earns_by_s2(&mut stage, &cast).context(scene)?;
    let scene = said("a lost card is refused, and the refusal is a fact");
    scenes::refuses_the_lost(&mut stage, &cast).context(scene)?;
    let scene = said("an unknown card is kept for later");
    scenes::records_the_stranger(&mut stage).context(scene)?;
    let scene = said("the centre is killed; one member checks in at A and at B");
    scenes::goes_on_alone(&mut stage, &cast, uploads_first).context(scene)?;
    let scene = said("A loses power while it reads a card");
    scenes::survives_the_power_cut(&mut stage, &cast).context(scene)?;
    let scene = said("the smart-card service is killed and comes back");
    scenes::outlives_the_card_service(&mut stage, &cast).context(scene)?;
    let scene = said("hundreds of swipes queue up");
    scenes::queues_up(&mut stage, &cast).context(scene)?;
    let scene = said("the centre comes back; an answer is lost; the queues drain");
    scenes::drains(&mut stage, &cast, uploads_first).context(scene)?;
    let scene = said("the member at two offices stands in the inbox, both terminals are told");
    scenes::tells_both(&stage).context(scene)?;
    let scene = said("both days are closed and the books compared");
    let tally = scenes::balances(&mut stage).context(scene)?;
    let sides = stage.sides(1)?;
    stage.a.stop()?;
    stage.b.stop()?;
    stage.centre.stop()?;
    Ok(Played { tally, sides, engine: stage.centre.engine.clone(), model: stage.model })
}
