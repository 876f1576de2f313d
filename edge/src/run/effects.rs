//! What people see and hear, performed in order on a thread of its own, so that a slow display never delays a swipe.
//!
//! Invariants: nothing is shown that was not sent here, and the loop sends only what is committed; a display or light
//! that fails is reported and never stops the others.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use chrono_tz::Tz;
use hufu_hardware::framed::FramedDesk;
use hufu_hardware::framed::link::Beep;
use hufu_hardware::layout::{self, Icon, LARGE_HEIGHT_MIN, Motion, Screen, Shade};
use hufu_hardware::panel::Panel;
use hufu_hardware::printer::queue::Job;
use hufu_hardware::signal::{Cue, Light, Signal, Sound};
use hufu_hardware::text::Fonts;

use super::events::Shown;
use crate::clock::Clock;
use crate::locale::{Args, Language, text_with};
use crate::rules::decide::Outcome;
use crate::rules::screen::{Face, RESULT_SHOWN_MS, Text, Words, plain_words};

/// How often an idle display is drawn anew, in milliseconds: it shows the time of day to the minute.
const IDLE_REDRAW_MS: u64 = 5_000;

/// One thing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// An outcome or a word about reading, until it has been seen long enough.
    Show {
        /// What it is about.
        face: Face,
        /// What it says.
        words: Words,
        /// The fact that it tells of.
        seq: Option<u64>,
    },
    /// What the displays show when nothing else is to be shown, and in which zone the time of day is.
    Rest(Face, Tz),
    /// What stands where the display would be idle, until a monotonic time or until there is nothing to say any more. A
    /// card still replaces it for as long as its outcome is shown.
    Stand(Option<(Face, Words, u64)>),
    /// A slip for the printer's queue.
    Print(Job),
    /// Light and sound alone.
    Signal(Cue),
    /// Practice begins or ends: while it lasts, every display says so.
    Practice(bool),
}

/// The devices, and what they are to show at rest.
pub struct Effects {
    panels: Vec<Box<dyn Panel>>,
    /// Swipe terminals with a display of their own.
    desks: Vec<FramedDesk>,
    signal: Box<dyn Signal>,
    print: Box<dyn Fn(Job) + Send>,
    fonts: Fonts,
    language: Language,
    clock: Clock,
    rest: (Face, Tz),
    stands: Option<(Face, Words, u64)>,
    practice: bool,
}

/// What is shown now.
struct Showing {
    face: Face,
    words: Words,
    since_ns: u64,
    ends: bool,
}

impl Effects {
    /// Over these devices.
    #[must_use]
    pub fn new(
        panels: Vec<Box<dyn Panel>>,
        signal: Box<dyn Signal>,
        language: Language,
        clock: Clock,
        rest: (Face, Tz),
    ) -> Self {
        // Without a printer nothing is sent to one.
        let print = Box::new(|job: Job| tracing::error!(slip = job.id, "a slip is for no printer"));
        let (desks, fonts) = (Vec::new(), Fonts::load());
        let (stands, practice) = (None, false);
        Self { panels, desks, signal, print, fonts, language, clock, rest, stands, practice }
    }

    /// Hands slips over here; must not wait.
    #[must_use]
    pub fn with_printer(self, print: impl Fn(Job) + Send + 'static) -> Self {
        Self { print: Box::new(print), ..self }
    }

    /// Has these swipe terminals say the same as the displays.
    #[must_use]
    pub fn prompting(mut self, desks: Vec<FramedDesk>) -> Self {
        self.desks = desks;
        self
    }

    /// Performs effects until the sender is gone; `report` hears of each.
    pub fn run(mut self, effects: &Receiver<Effect>, report: impl Fn(Shown)) {
        let mut showing = self.resting();
        let mut told = vec![None; self.panels.len()];
        self.prompt(&showing);
        let mut wait_ms = self.draw(&showing, &mut told, &report, None);
        loop {
            match effects.recv_timeout(Duration::from_millis(wait_ms)) {
                Ok(Effect::Rest(face, zone)) => {
                    let changed = self.rest != (face, zone);
                    self.rest = (face, zone);
                    if changed && !showing.ends {
                        showing = self.resting();
                        self.prompt(&showing);
                    }
                    wait_ms = self.draw(&showing, &mut told, &report, None);
                }
                Ok(Effect::Show { face, words, seq }) => {
                    showing = Showing { face, words, since_ns: self.clock.now().mono_ns, ends: true };
                    // Sound and light first: they are at once, a display may take its time.
                    if let Err(error) = self.signal.give(&cue(face)) {
                        tracing::warn!(%error, "failed to give a signal");
                    }
                    self.prompt(&showing);
                    wait_ms = self.draw(&showing, &mut told, &report, Some(seq));
                }
                Ok(Effect::Stand(stands)) => {
                    self.stands = stands;
                    if !showing.ends {
                        showing = self.resting();
                        self.prompt(&showing);
                    }
                    wait_ms = self.draw(&showing, &mut told, &report, None);
                }
                Ok(Effect::Print(job)) => {
                    (self.print)(job);
                    wait_ms = self.draw(&showing, &mut told, &report, None);
                }
                Ok(Effect::Signal(cue)) => {
                    if let Err(error) = self.signal.give(&cue) {
                        tracing::warn!(%error, "failed to give a signal");
                    }
                    wait_ms = self.draw(&showing, &mut told, &report, None);
                }
                Ok(Effect::Practice(practice)) => {
                    // What stood there before belongs to the other side.
                    self.practice = practice;
                    showing = self.resting();
                    self.prompt(&showing);
                    wait_ms = self.draw(&showing, &mut told, &report, None);
                }
                Err(RecvTimeoutError::Timeout) => {
                    let over = self.stands.take_if(|stands| self.clock.now().mono_ns >= stands.2).is_some();
                    let shown_long = showing.ends && self.age_ms(&showing) >= RESULT_SHOWN_MS;
                    if shown_long || (over && !showing.ends) {
                        showing = self.resting();
                        self.prompt(&showing);
                    }
                    wait_ms = self.draw(&showing, &mut told, &report, None);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    // A display keeps its last picture: it must not go on asking for cards that nobody reads.
                    (self.rest.0, self.stands) = (Face::NotReady, None);
                    self.draw(&self.resting(), &mut told, &report, None);
                    return;
                }
            }
        }
    }

    fn resting(&self) -> Showing {
        let since_ns = self.clock.now().mono_ns;
        if let Some((face, words, _)) = self.stands.as_ref().filter(|stands| since_ns < stands.2) {
            return Showing { face: *face, words: words.clone(), since_ns, ends: false };
        }
        let words = plain_words(self.rest.0).unwrap_or_else(|| Words {
            title: Text { key: "display-not-ready", args: Vec::new() },
            lines: Vec::new(),
            short_title: Text { key: "display-not-ready", args: Vec::new() },
            short_line: None,
        });
        Showing { face: self.rest.0, words, since_ns, ends: false }
    }

    /// Has the swipe terminals say it; they queue it by themselves, so this never waits.
    fn prompt(&self, showing: &Showing) {
        if self.desks.is_empty() {
            return;
        }
        let screen = screen(showing.face, &showing.words, true, None, self.language);
        let screen = marked(screen, self.practice, self.language);
        let lines: Vec<&str> =
            [screen.title.as_str()].into_iter().chain(screen.lines.iter().map(String::as_str)).collect();
        for desk in &self.desks {
            desk.show(&lines);
            if let Some(beep) = beep(showing.face) {
                desk.beep(beep);
            }
        }
    }

    fn age_ms(&self, showing: &Showing) -> u64 {
        self.clock.now().mono_ns.saturating_sub(showing.since_ns) / 1_000_000
    }

    /// Draws on all panels and reports; returns after how many milliseconds to draw again.
    fn draw(
        &mut self,
        showing: &Showing,
        told: &mut Vec<Option<String>>,
        report: &impl Fn(Shown),
        seq: Option<Option<u64>>,
    ) -> u64 {
        let age_ms = self.age_ms(showing);
        let shown_ms = u32::try_from(age_ms).unwrap_or(u32::MAX);
        let mut again_ms =
            if showing.ends { RESULT_SHOWN_MS.saturating_sub(age_ms).max(1) } else { IDLE_REDRAW_MS };
        let time = self.clock.now().trusted.display_time(self.rest.1);
        let mut faults = Vec::with_capacity(self.panels.len());
        for panel in &mut self.panels {
            let large = panel.size().height >= LARGE_HEIGHT_MIN;
            let footer = if showing.ends { None } else { Some(time.clone()) };
            let screen = screen(showing.face, &showing.words, large, footer, self.language);
            let screen = marked(screen, self.practice, self.language);
            let depth = panel.depth();
            let motion = layout::draw(&screen, &self.fonts, panel.frame_mut(), depth, shown_ms);
            if let Motion::AgainInMs(ms) = motion {
                again_ms = again_ms.min(u64::from(ms));
            }
            faults.push(panel.flush().err().map(|error| error.to_string()));
        }
        for (fault, _) in faults.iter().zip(told.iter()).filter(|(fault, told)| fault != told) {
            match fault {
                Some(error) => tracing::warn!(%error, "a display did not take a picture"),
                None => tracing::info!("a display takes pictures again"),
            }
        }
        if seq.is_some() || faults != *told {
            // One display that took it is enough to have been told; without any, staff tell.
            let taken = faults.is_empty() || faults.contains(&None);
            report(Shown { seq: seq.flatten().filter(|_| taken), faults: faults.clone() });
        }
        *told = faults;
        again_ms
    }
}

/// The same, saying in its largest words that it is practice.
#[must_use]
pub fn marked(screen: Screen, practice: bool, language: Language) -> Screen {
    if !practice {
        return screen;
    }
    let title = text_with(language, "display-practice", &Args::from([("title", screen.title)]));
    Screen { title, ..screen }
}

/// What a display of this size shows of a face and its words: the short ones where there is little room.
#[must_use]
pub fn screen(face: Face, words: &Words, large: bool, footer: Option<String>, language: Language) -> Screen {
    let say = |text: &Text| {
        let args: Args = text.args.iter().map(|(name, value)| (*name, value.clone())).collect();
        text_with(language, text.key, &args)
    };
    let (shade, icon) = look(face);
    let (title, lines): (&Text, Vec<&Text>) = if large {
        (&words.title, words.lines.iter().collect())
    } else {
        (&words.short_title, words.short_line.iter().collect())
    };
    // A line may be a matter of one language only.
    let lines = lines.into_iter().map(say).filter(|line| !line.is_empty()).collect();
    Screen { shade, icon: Some(icon), title: say(title), lines, footer }
}

/// Colours and shape of a face.
#[must_use]
pub fn look(face: Face) -> (Shade, Icon) {
    match face {
        Face::Outcome(Outcome::Accepted) => (Shade::Green, Icon::Check),
        Face::Outcome(Outcome::Redeemed) => (Shade::Green, Icon::Gift),
        Face::Outcome(Outcome::Recorded) => (Shade::Amber, Icon::Clock),
        Face::Outcome(Outcome::Refused(_) | Outcome::OverOfflineLimit) => (Shade::Red, Icon::Cross),
        Face::Outcome(Outcome::AlreadyIn) => (Shade::GreenOutline, Icon::DoubleCheck),
        Face::Outcome(Outcome::UnknownCard) => (Shade::Blue, Icon::Question),
        Face::Attention => (Shade::Blue, Icon::Warning),
        Face::Failed(_) | Face::KeepStill | Face::Asking => (Shade::Blue, Icon::Wave),
        Face::Pairing => (Shade::Blue, Icon::Plug),
        Face::NotReady => (Shade::Grey, Icon::Plug),
        Face::Idle(_) => (Shade::Dark, Icon::Card),
    }
}

/// The sound of a face at a swipe terminal, which knows three.
#[must_use]
pub fn beep(face: Face) -> Option<Beep> {
    match face {
        Face::Outcome(Outcome::Accepted | Outcome::Redeemed | Outcome::Recorded | Outcome::AlreadyIn) => {
            Some(Beep::Accepted)
        }
        Face::Outcome(Outcome::Refused(_) | Outcome::OverOfflineLimit) => Some(Beep::Refused),
        Face::Outcome(Outcome::UnknownCard) | Face::Attention | Face::Failed(_) => Some(Beep::Attention),
        Face::KeepStill | Face::Asking | Face::Pairing | Face::NotReady | Face::Idle(_) => None,
    }
}

/// Light and sound of a face.
#[must_use]
pub fn cue(face: Face) -> Cue {
    let (light, sound) = match face {
        Face::Outcome(Outcome::Accepted | Outcome::Redeemed) => (Light::Green, Sound::RISING),
        Face::Outcome(Outcome::Recorded) => (Light::Amber, Sound::MIDDLE),
        Face::Outcome(Outcome::Refused(_) | Outcome::OverOfflineLimit) => (Light::Red, Sound::LOW_TWICE),
        Face::Outcome(Outcome::AlreadyIn) => (Light::Green, Sound::HIGH),
        Face::Outcome(Outcome::UnknownCard) | Face::Attention => (Light::Blue, Sound::SHORT_THRICE),
        Face::Failed(_) => (Light::Blue, Sound::SHORT),
        Face::KeepStill | Face::Asking => (Light::Blue, Sound::NONE),
        Face::Pairing | Face::NotReady | Face::Idle(_) => (Light::Off, Sound::NONE),
    };
    Cue { light, light_ms: u32::try_from(RESULT_SHOWN_MS).unwrap_or(u32::MAX), sound }
}
