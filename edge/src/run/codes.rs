//! Member codes at this terminal: verified without the centre, and taken once.
//!
//! Invariants
//! - A code is believed only by the centre's key that enrolment pinned; without it no code is taken.
//! - A code that was taken here is refused here, also after a restart; one that is over is refused by whatever clock.
//! - With a clock that is only a floor nobody can tell a code from its picture of last week: it then serves for being
//!   seen and checking in, never for value.

use hufu_hardware::card::{Medium, Presented as Read};
use hufu_shared::fact::{Purpose, RefusalReason, Subject};
use hufu_shared::keys::CENTRE_KEY_BYTES;
use hufu_shared::member_code::{Holds, MemberCode, MemberCodeError, SignedCode, is_meant};
use hufu_shared::token::{CardText, MediumKind};

use super::core::{Core, Mode, Presented, Swiped};
use super::dispatch::Dispatch;
use super::{readers, view};
use crate::rules::decide::decide_code_refused;
use crate::rules::timekeeping::Now;
use crate::store::StoreError;

/// What a scanner's line comes to that is meant as a member code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeRead {
    /// It stands for this card now.
    Card(CardText),
    /// It does not hold.
    Refused {
        /// Why.
        error: MemberCodeError,
        /// What it says, where the centre's signature holds.
        code: Option<MemberCode>,
    },
}

impl Core {
    /// Verifies a member code and takes it.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be kept that it was taken; then it must not be used.
    pub fn take_code(
        &self,
        line: &str,
        key: Option<&[u8; CENTRE_KEY_BYTES]>,
        purpose: &Purpose,
        now: &Now,
    ) -> Result<CodeRead, StoreError> {
        let verified = SignedCode::parse(line)
            .and_then(|read| read.verify(self.terminal().club, key.ok_or(MemberCodeError::Signature)?));
        let code = match verified {
            Ok(code) => code,
            Err(error) => return Ok(CodeRead::Refused { error, code: None }),
        };
        let refused = |error| Ok(CodeRead::Refused { error, code: Some(code) });
        match code.holds(now.trusted, now.quality) {
            Ok(Holds::Perhaps) if moves_value(purpose) => return refused(MemberCodeError::Early),
            Ok(_) => {}
            Err(error) => return refused(error),
        }
        let taken = self.store().with(|journal| journal.take_code(code.nonce, code.over_at(), now.floor))?;
        if taken {
            Ok(CodeRead::Card(CardText::code(code.token, code.nonce)))
        } else {
            refused(MemberCodeError::Used)
        }
    }

    /// Records that a member code was refused.
    ///
    /// # Errors
    /// As [`Core::swipe`].
    pub fn refuse_code(
        &mut self,
        refused: (MemberCodeError, Option<MemberCode>),
        reader: u8,
        mode: &Mode,
        now: &Now,
    ) -> Result<Swiped, StoreError> {
        let (error, code) = refused;
        let subject = code.map(|code| Subject {
            token: code.token,
            member: None,
            reader,
            medium: MediumKind::MemberCode,
            code: Some(code.nonce),
        });
        let decision = decide_code_refused(subject, &mode.purpose, reason(error));
        self.refused(decision, mode, now)
    }
}

/// Whether points or money depend on who it is.
fn moves_value(purpose: &Purpose) -> bool {
    !matches!(purpose, Purpose::Visit | Purpose::LookUp | Purpose::CheckIn(_) | Purpose::CheckInParty(_))
}

/// What staff are told.
fn reason(error: MemberCodeError) -> RefusalReason {
    match error {
        MemberCodeError::Damaged | MemberCodeError::Signature => RefusalReason::R08,
        MemberCodeError::Over => RefusalReason::R02,
        MemberCodeError::Early => RefusalReason::R09,
        MemberCodeError::Used => RefusalReason::R06,
    }
}

impl Dispatch {
    /// Takes member codes that this key signed.
    #[must_use]
    pub fn trusting(mut self, centre_key: [u8; CENTRE_KEY_BYTES]) -> Self {
        self.centre_key = Some(centre_key);
        self
    }

    /// Takes what a reader read whole.
    pub(super) fn presented(&mut self, read: &Read, now: &Now) {
        let (index, name) = (read.source.index, &read.source.name);
        let reader = readers::number(index);
        let card = match &read.medium {
            Medium::Line(line) if is_meant(line) => {
                match self.core.take_code(line, self.centre_key.as_ref(), &self.mode.purpose, now) {
                    Ok(CodeRead::Card(card)) => card,
                    Ok(CodeRead::Refused { error, code }) => {
                        tracing::info!(reader = %name, %error, "met a member code that does not hold");
                        let swiped = self.core.refuse_code((error, code), reader, &self.mode, now);
                        let purpose = self.mode.purpose.clone();
                        return self.finish(swiped, &purpose, view::source(self.kind_of(index)), now);
                    }
                    Err(error) => return self.not_recorded(&error, now),
                }
            }
            medium => match readers::card_text(medium) {
                Ok(card) => card,
                Err(error) => {
                    tracing::info!(reader = %name, %error, "met something that is no card number");
                    return self.unusable(index, now);
                }
            },
        };
        self.swipe(Presented { card, reader }, view::source(self.kind_of(index)), now);
    }
}
