//! Which verdicts a kind of case allows, what each writes, and the act that a chosen one becomes. Pure but for the
//! randomness of a note's salt.

use hufu_shared::act::{CaseDecided, Pin, PinOutcome, Verdict};
use hufu_shared::ids::{FactId, Hash, MemberId};

use super::Console;
use super::failure::Failure;
use super::problem::Refused;
use super::signed::Fields;
use super::ui::Ui;
use crate::random;
use crate::store::acts::Note;

/// Longest reason (rule C3).
pub const REASON_CHARS_MAX: usize = 500;

/// Seals what a person typed; the journal gets only its commitment.
pub fn note(console: &Console, reason: &str) -> Result<Note, Failure> {
    let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
    Note::new(&console.app.keys.seal_public(), random::bytes()?, &reason)
        .map_err(|error| Failure::fault(&error))
}

/// The sealed reason of a request of the API, which must have one.
pub fn reasoned(console: &Console, ui: &Ui, fields: &Fields) -> Result<Note, Refused> {
    match fields.get("reason") {
        "" => Err(Refused::unfit(ui, "reason-missing")),
        reason => Ok(note(console, reason)?),
    }
}

/// A choice that a page offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The automatic outcome stands.
    Confirm,
    /// No check-in counts; points are taken back.
    Reverse,
    /// Another check-in is the one that counts.
    Merge,
    /// The card belongs to a member.
    Bind,
    /// The card's facts have no effect.
    Discard,
    /// Taken note of.
    Acknowledge,
    /// An application becomes somebody's, by what was chosen beside it.
    Join,
    /// The facts of a card that changed hands belong to the chosen member.
    Attribute,
    /// Facts that wait for a person have their effect.
    Release,
    /// Nothing becomes of an application.
    TurnDown,
}

impl Choice {
    /// The code in forms and keys.
    pub fn code(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Reverse => "reverse",
            Self::Merge => "merge",
            Self::Bind => "bind",
            Self::Discard => "discard",
            Self::Acknowledge => "acknowledge",
            Self::Join => "join",
            Self::Attribute => "attribute",
            Self::Release => "release",
            Self::TurnDown => "turn_down",
        }
    }

    /// The choice of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        const ALL: [Choice; 10] = [
            Choice::Confirm,
            Choice::Reverse,
            Choice::Merge,
            Choice::Bind,
            Choice::Discard,
            Choice::Acknowledge,
            Choice::Join,
            Choice::Attribute,
            Choice::Release,
            Choice::TurnDown,
        ];
        ALL.into_iter().find(|choice| choice.code() == code)
    }

    /// The key that chooses it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Confirm | Self::Bind | Self::Acknowledge | Self::Join => "1",
            Self::Reverse | Self::Discard | Self::Release | Self::TurnDown => "2",
            Self::Merge | Self::Attribute => "3",
        }
    }
}

/// What a kind allows. `decided` cases may be judged again where a verdict can be replaced.
pub fn choices(kind: u8, decided: bool) -> &'static [Choice] {
    match (kind, decided) {
        (4 | 27 | 32, _) => &[Choice::Confirm, Choice::Reverse, Choice::Merge],
        (14, _) => &[Choice::Confirm, Choice::Reverse, Choice::Attribute],
        (15, false) => &[Choice::Merge, Choice::Reverse],
        (22 | 26, false) => &[Choice::Acknowledge, Choice::Release],
        (29, false) => &[Choice::Join, Choice::TurnDown],
        // What a person says of these is a pin, and may be said anew.
        (16 | 17 | 18 | 23 | 28 | 31 | 34 | 40 | 42, _) => &[Choice::Confirm, Choice::Reverse],
        (13, false) => &[Choice::Bind, Choice::Discard],
        (13, true) => &[],
        (_, false) => &[Choice::Acknowledge],
        (_, true) => &[],
    }
}

/// What a choice writes in a kind of case, as a key of the page's words.
pub fn writes(kind: u8, choice: Choice) -> &'static str {
    match (kind, choice) {
        (15, Choice::Merge) => "pick",
        (15, _) => "keep_stored",
        (22 | 26, Choice::Acknowledge) => "leave_aside",
        (27, _) | (_, Choice::Bind | Choice::Discard | Choice::Acknowledge) => choice.code(),
        (_, Choice::Join | Choice::Attribute | Choice::Release | Choice::TurnDown) => choice.code(),
        (18, Choice::Confirm) => "in_time",
        (18, Choice::Reverse) => "not_in_time",
        (40, Choice::Confirm) => "pass",
        (42, Choice::Confirm) => "approve",
        (42, Choice::Reverse) => "refuse",
        (_, Choice::Confirm) => "let_stand",
        (_, Choice::Reverse) => "take_back",
        (_, Choice::Merge) => "choose",
    }
}

/// What a person picked beside the choice itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Picked {
    /// The fact that shall count.
    pub fact: Option<FactId>,
    /// The member whose the facts shall be.
    pub member: Option<MemberId>,
}

/// The decision that a choice becomes. `facts` are the facts of the case.
pub fn decision(
    (case, kind): (Hash, u8),
    choice: Choice,
    facts: &[FactId],
    picked: Picked,
    reason: Hash,
) -> CaseDecided {
    let pin = |fact: &FactId, counts: bool| Pin {
        fact: *fact,
        outcome: if counts { PinOutcome::Counts } else { PinOutcome::DoesNotCount },
    };
    let (verdict, pins) = match choice {
        // Held above a limit, for approval, or on the edge of a time: to confirm is to let it pass.
        Choice::Confirm if matches!(kind, 18 | 40 | 42) => {
            (Verdict::Confirm, facts.iter().map(|fact| pin(fact, true)).collect())
        }
        Choice::Confirm => (Verdict::Confirm, Vec::new()),
        Choice::Reverse => (Verdict::Reverse, facts.iter().map(|fact| pin(fact, false)).collect()),
        Choice::Merge => {
            (Verdict::Merge, facts.iter().map(|fact| pin(fact, Some(*fact) == picked.fact)).collect())
        }
        Choice::Bind => (Verdict::Bind, Vec::new()),
        Choice::Discard => (Verdict::Discard, Vec::new()),
        Choice::Attribute => {
            let belongs = |member| PinOutcome::BelongsTo(member);
            let outcome = picked.member.map(belongs);
            let pins = outcome.map(|outcome| facts.iter().map(|fact| Pin { fact: *fact, outcome }).collect());
            (Verdict::Bind, pins.unwrap_or_default())
        }
        Choice::Acknowledge | Choice::Join | Choice::Release | Choice::TurnDown => {
            (Verdict::Acknowledge, Vec::new())
        }
    };
    CaseDecided { case, verdict, pins, reason }
}
