//! Acts about the inbox 待处理 that decide nothing: whose a case is to decide, and until when it is put off.
//!
//! Both are said of several cases at once, as people tick them. Neither changes who may decide: whoever may could before.

use minicbor::{Decode, Encode};

use crate::ids::{Hash, OperatorId};
use crate::time::Instant;

/// Cases were handed to somebody, or to nobody in particular again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CasesHanded {
    /// Which: hashes of their causes.
    #[n(0)]
    pub cases: Vec<Hash>,
    /// To whom; none takes them back from whoever had them.
    #[n(1)]
    pub to: Option<OperatorId>,
}

/// Cases were put off: until then they stand behind the others, unless their evidence changes before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CasesPutOff {
    /// Which: hashes of their causes.
    #[n(0)]
    pub cases: Vec<Hash>,
    /// Until when; none takes it back.
    #[n(1)]
    pub until: Option<Instant>,
}
