//! Verdicts that write personal data: an application becomes somebody's (K8), a request is taken over (kind 15).
//!
//! Called behind the gate, in the transaction of the verdict: data and verdict stand together or not at all.

use hufu_shared::act::{
    Act, Actor, ApplicationDecided, ApplicationEnd, CardSet, CaseDecided, FieldSet, LookAlikesFound,
    MemberSet, Pin, PinOutcome, ProfileSet, Verdict,
};
use hufu_shared::cbor;
use hufu_shared::form::FormContent;
use hufu_shared::ids::{EntryId, FactId, Hash, MemberId, OfficeId};
use hufu_shared::member::MemberStatus;
use hufu_shared::seal::OpenKey;
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::cases::fact_text;
use super::first_card::FirstCard;
use super::forms::field_of_case;
use super::signed::Fields;
use crate::db::Tx;
use crate::import::text::date;
use crate::rules::joining::eligible::{self, Applicant};
use crate::rules::joining::fields::{self, FieldError};
use crate::rules::judge::lookalike::{self, Alike, Choice, ChoiceError, Listed};
use crate::rules::posting;
use crate::store::cases::Case;
use crate::store::people::{self, PeopleError, SALT_BYTES};
use crate::store::{acts, joining, lookalikes, world};
use crate::vault::{Document, DocumentKind, Personal, Sex, Vault, document, normal};

/// What the shell adds to a verdict.
pub struct Shell<'a> {
    /// Personal data.
    pub vault: &'a Vault,
    /// Opens forms.
    pub key: &'a OpenKey,
    /// Who decides.
    pub actor: &'a Actor,
    /// Ids of the entry before the verdict's.
    pub entry: EntryId,
    /// A new member's id.
    pub fresh: MemberId,
    /// Salt of the commitment to a member's data.
    pub salt: [u8; SALT_BYTES],
    /// What the person asked for beside it, of a new member.
    pub wanted: &'a Wanted,
    /// The time.
    pub now: Instant,
}

/// What a person asks for of a new member; the rest comes by itself.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The number that the club's papers shall know the member by (T5); empty for one that is made up.
    pub number: String,
    /// The card that was given at approval (K16).
    pub card: FirstCard,
}

/// Characters of a member's number at most.
const NUMBER_CHARS_MAX: usize = 30;

/// What a person chose for an application, as the form has it.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// The similar member.
    pub member: Option<MemberId>,
    /// The similar applications, as [`fact_text`] writes them.
    pub applications: Vec<String>,
    /// Final mobile, home phone and address; empty where nothing was typed.
    pub contact: [String; 3],
}

/// Field of an application that names the project of a purchase (K9).
pub const FIELD_OF_PROJECT: &str = "project";
/// Fields of the final contact data.
pub const CONTACT: [&str; 3] = ["mobile", "home_phone", "address"];

impl Chosen {
    /// Out of a form.
    pub fn of(case: &Case, fields: &Fields) -> Self {
        let found = cbor::decode::<LookAlikesFound>(&case.known.detail).ok();
        let listed = found.map(|found| found.applications).unwrap_or_default();
        let chosen = listed.into_iter().map(fact_text);
        Self {
            member: fields.get("alike").parse().ok(),
            applications: chosen.filter(|id| !fields.get(&format!("with-{id}")).is_empty()).collect(),
            contact: CONTACT.map(|field| fields.get(field).to_owned()),
        }
    }
}

/// Gives an application its member, a new one if none was chosen (K8); answers the verdict, or the key of what is wrong.
///
/// # Errors
/// [`PeopleError`].
pub fn application(
    tx: &mut Tx<'_>,
    shell: &Shell<'_>,
    case: &Case,
    chosen: &Chosen,
    reason: Hash,
) -> Result<Result<CaseDecided, &'static str>, PeopleError> {
    let Ok(found) = cbor::decode::<LookAlikesFound>(&case.known.detail) else {
        return Ok(Err("case-changed"));
    };
    let mut waiting: Vec<(Hash, FactId)> = Vec::new();
    for id in &found.applications {
        if lookalikes::waits(tx, *id)? {
            waiting.push((posting::fact_cause(*id), *id));
        }
    }
    let picked = waiting.iter().filter(|row| chosen.applications.contains(&fact_text(row.1)));
    let choice = Choice {
        member: chosen.member,
        applications: picked.map(|row| row.0).collect(),
        contact_given: chosen.contact.iter().any(|value| !value.is_empty()),
    };
    if choice.applications.len() != chosen.applications.len() {
        return Ok(Err("case-changed"));
    }
    let own = posting::fact_cause(found.application);
    let members = listed(found.members.iter().copied());
    let applications = listed(waiting.iter().map(|row| row.0));
    let outcome = match lookalike::decide(own, &members, &applications, &choice) {
        Ok(outcome) => outcome,
        Err(ChoiceError::ContactMissing) => return Ok(Err("alike-contact-missing")),
        Err(_) => return Ok(Err("case-changed")),
    };
    let verdict = match (outcome.member, choice.applications.is_empty()) {
        (Some(_), _) => Verdict::Bind,
        (None, false) => Verdict::Merge,
        (None, true) => Verdict::Confirm,
    };
    let member = match outcome.member {
        Some(member) => member,
        None => match new_member(tx, shell, found.application, &chosen.contact)? {
            Ok(member) => member,
            Err(key) => return Ok(Err(key)),
        },
    };
    let mut pins = vec![Pin { fact: found.application, outcome: PinOutcome::BelongsTo(member) }];
    for (_, id) in waiting.iter().filter(|row| row.0 != own && outcome.leave.contains(&row.0)) {
        pins.push(Pin { fact: *id, outcome: PinOutcome::BelongsTo(member) });
        pins.push(Pin { fact: *id, outcome: PinOutcome::DoesNotCount });
    }
    for pin in &pins {
        shell.vault.forget_form(tx, pin.fact)?;
    }
    Ok(Ok(CaseDecided { case: case.id, verdict, pins, reason }))
}

fn listed<Id>(ids: impl Iterator<Item = Id>) -> Listed<Id> {
    Listed { rows: ids.map(|id| Alike { id, by: Default::default() }).collect(), beyond: 0 }
}

/// Makes a member of an application; the person gave the final contact data, or none.
fn new_member(
    tx: &mut Tx<'_>,
    shell: &Shell<'_>,
    application: FactId,
    contact: &[String; 3],
) -> Result<Result<MemberId, &'static str>, PeopleError> {
    let Some(Ok(mut content)) = lookalikes::content(tx, shell.key, application)? else {
        return Ok(Err("request-unreadable"));
    };
    for (field, value) in CONTACT.into_iter().zip(contact).filter(|row| !row.1.is_empty()) {
        content.fields.retain(|row| row.0 != field);
        content.fields.push((field.to_owned(), value.clone()));
    }
    let mut personal = Personal::default();
    let today = OfficeClock::default().business_day(shell.now);
    for (field, _) in content.fields.iter().filter(|field| is_kept(&field.0)) {
        let written = content.get(field).map(|value| write(&mut personal, field, value, today));
        if let Some(Err(key)) = written {
            return Ok(Err(key));
        }
    }
    if personal.name.is_empty() {
        return Ok(Err("alike-no-name"));
    }
    let filed = if application.is_filed() { joining::filed(tx, application)? } else { None };
    let kind = filed.map_or_else(|| eligible::KIND_PERSON.to_owned(), |filed| filed.kind);
    if let Err(key) = may_join(tx, shell.vault, (&kind, &personal), today)? {
        return Ok(Err(key));
    }
    let number = match number_of(tx, shell)? {
        Ok(number) => number,
        Err(key) => return Ok(Err(key)),
    };
    let card = match shell.wanted.card.choose(tx, application)? {
        Ok(card) => card,
        Err(key) => return Ok(Err(key)),
    };
    let member = shell.fresh;
    let row = MemberSet {
        member,
        number,
        level: None,
        status: MemberStatus::Active,
        office: office_of(tx, application)?,
        personal: people::put_personal(tx, shell.vault, member, &personal, false, shell.salt)?,
        joined: Some(today),
    };
    acts::take(tx, shell.entry, shell.now, shell.actor, &Act::MembersSet(vec![row]))?;
    if let Some(card) = card {
        let act = Act::CardsSet(vec![CardSet { member: Some(member), ..card }]);
        acts::take(tx, shell.wanted.card.entry, shell.now, shell.actor, &act)?;
    }
    Ok(Ok(member))
}

/// Whether a field of an application is kept of the member: the project that it names goes to the sales system alone.
pub fn is_kept(field: &str) -> bool {
    field != FIELD_OF_PROJECT
}

/// The number of a new member: the one that the person gave, if nobody has it; else one that no other member has, since
/// nobody else has the id. The club may give another one later.
fn number_of(tx: &mut Tx<'_>, shell: &Shell<'_>) -> Result<Result<String, &'static str>, PeopleError> {
    let wanted = &shell.wanted.number;
    if wanted.is_empty() {
        return Ok(Ok(format!("N{}", data_encoding::HEXUPPER.encode(&shell.fresh.0[10..]))));
    }
    let is_sign = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if wanted.chars().count() > NUMBER_CHARS_MAX || !wanted.chars().all(is_sign) {
        return Ok(Err("number-bad"));
    }
    let taken = people::member_by_number(tx, wanted)?.is_some();
    Ok(if taken { Err("number-taken") } else { Ok(wanted.clone()) })
}

/// Whether the club takes an applicant of this kind (X18, G8); else the key of why not.
///
/// # Errors
/// [`PeopleError`].
pub fn may_join(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (kind, personal): (&str, &Personal),
    today: Day,
) -> Result<Result<(), &'static str>, PeopleError> {
    let terms = world::policy(tx)?.joining;
    let applicant = Applicant {
        kind,
        is_person: !eligible::is_organisation(kind),
        born: personal.birthday.or_else(|| personal.document.as_ref().and_then(document::born)),
        is_staff: terms.excludes_staff && vault.is_staff(tx, personal)?,
    };
    Ok(eligible::check(&terms, &applicant, today).map_err(|why| eligible::key_of(&why)))
}

fn office_of(tx: &mut Tx<'_>, application: FactId) -> Result<Option<OfficeId>, PeopleError> {
    if application.is_filed() {
        return Ok(joining::filed(tx, application)?.and_then(|known| known.office));
    }
    Ok(world::device_row(tx, application.device)?.map(|known| known.office))
}

/// Takes the value of a request over into the member's data; answers the key of what is wrong.
///
/// # Errors
/// [`PeopleError`].
pub fn request(
    tx: &mut Tx<'_>,
    shell: &Shell<'_>,
    case: &Case,
    chosen: FactId,
) -> Result<Result<(), &'static str>, PeopleError> {
    let Some(member) = case.known.member else { return Ok(Err("case-changed")) };
    let done = take_over(tx, shell, (member, chosen), &[field_of_case(case).to_owned()])?;
    Ok(done.map(|_| ()))
}

/// Writes what a request asks for in these fields into the member's data; answers the commitments before and after.
fn take_over(
    tx: &mut Tx<'_>,
    shell: &Shell<'_>,
    (member, request): (MemberId, FactId),
    fields: &[String],
) -> Result<Result<(Hash, Hash), &'static str>, PeopleError> {
    let content: FormContent = match lookalikes::content(tx, shell.key, request)? {
        Some(Ok(content)) => content,
        _ => return Ok(Err("request-unreadable")),
    };
    let (Some(mut personal), Some(row)) = (shell.vault.reveal(tx, member)?, people::member(tx, member)?)
    else {
        return Ok(Err("request-unreadable"));
    };
    let today = OfficeClock::default().business_day(shell.now);
    for field in fields {
        let Some(value) = content.get(field) else { return Ok(Err("request-unreadable")) };
        if let Err(key) = write(&mut personal, field, value.trim(), today) {
            return Ok(Err(key));
        }
    }
    let secret = people::wants_secrecy(tx, shell.vault, member, row.personal)?;
    let data = (row.personal, people::put_personal(tx, shell.vault, member, &personal, secret, shell.salt)?);
    let act = Act::MembersSet(vec![MemberSet { personal: data.1, ..row }]);
    acts::take(tx, shell.entry, shell.now, shell.actor, &act)?;
    Ok(Ok(data))
}

/// What a person said of a request that nobody disagrees with.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// Whose data.
    pub member: MemberId,
    /// Which fields.
    pub fields: &'a [String],
    /// Whether it is taken over.
    pub taken_over: bool,
}

/// Deals with a request that nobody disagrees with; answers the key of what is wrong.
///
/// # Errors
/// [`PeopleError`].
pub fn said(
    tx: &mut Tx<'_>,
    shell: &Shell<'_>,
    (entry, request): (EntryId, FactId),
    (said, reason): (&Said<'_>, Hash),
) -> Result<Result<(), &'static str>, PeopleError> {
    let Said { member, fields, taken_over } = *said;
    let mut data = None;
    if taken_over {
        match take_over(tx, shell, (member, request), fields)? {
            Ok(done) => data = Some(done),
            Err(key) => return Ok(Err(key)),
        }
    }
    let change = |field: &String| FieldSet { field: field.clone(), request: Some(request), taken_over };
    let set = ProfileSet { member, changes: fields.iter().map(change).collect(), reason, data };
    acts::take(tx, entry, shell.now, shell.actor, &Act::ProfileSet(set))?;
    Ok(Ok(()))
}

/// What a person does with an application that looks like nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It becomes a new member.
    Join,
    /// It is of this member, whom the person found.
    Bind(MemberId),
    /// It is turned down.
    Reject,
}

/// Ends an application that looks like nobody; answers the key of what is wrong.
///
/// # Errors
/// [`PeopleError`].
pub fn alone(
    tx: &mut Tx<'_>,
    shell: &Shell<'_>,
    (entry, application): (EntryId, FactId),
    (end, reason): (End, Hash),
) -> Result<Result<(), &'static str>, PeopleError> {
    let end = match end {
        End::Bind(member) if people::member(tx, member)?.is_some() => ApplicationEnd::Bound(member),
        End::Bind(_) => return Ok(Err("bind-nobody")),
        End::Join => match new_member(tx, shell, application, &Default::default())? {
            Ok(member) => ApplicationEnd::Joined(member),
            Err(key) => return Ok(Err(key)),
        },
        End::Reject => ApplicationEnd::Rejected,
    };
    shell.vault.forget_form(tx, application)?;
    let decided = ApplicationDecided { application, end, reason };
    acts::take(tx, entry, shell.now, shell.actor, &Act::ApplicationDecided(decided))?;
    Ok(Ok(()))
}

/// Turns down an application that looks like somebody: nothing becomes of it, and those that it looks like stay.
///
/// # Errors
/// [`PeopleError`].
pub fn turned_down(
    tx: &mut Tx<'_>,
    vault: &Vault,
    case: &Case,
    reason: Hash,
) -> Result<Result<CaseDecided, &'static str>, PeopleError> {
    let Some(decided) = turned_down_by(case, reason) else { return Ok(Err("case-changed")) };
    decided.pins.iter().try_for_each(|pin| vault.forget_form(tx, pin.fact))?;
    Ok(Ok(decided))
}

/// The verdict that turns an application down; none if the case is about none.
pub fn turned_down_by(case: &Case, reason: Hash) -> Option<CaseDecided> {
    let found = cbor::decode::<LookAlikesFound>(&case.known.detail).ok()?;
    let pins = vec![Pin { fact: found.application, outcome: PinOutcome::DoesNotCount }];
    Some(CaseDecided { case: case.id, verdict: Verdict::Reverse, pins, reason })
}

/// Writes a value into a field, in the form that the centre keeps; else the key of what is wrong (C2, C3).
pub fn write(personal: &mut Personal, field: &str, value: &str, today: Day) -> Result<(), &'static str> {
    set(personal, field, value, today).map_err(|error| error.code())
}

fn set(personal: &mut Personal, field: &str, value: &str, today: Day) -> Result<(), FieldError> {
    match field {
        "name" => personal.name = fields::name(value)?,
        "sex" => personal.sex = Sex::from_code(value).ok_or(FieldError::Empty)?,
        "mobile" => personal.mobile = Some(fields::mobile(normal::mobile(value))?),
        "home_phone" => personal.home_phone = Some(normal::mobile(value).ok_or(FieldError::Phone)?),
        "document" => {
            let read = document::check(DocumentKind::IdentityCard, value, today);
            let other = || Document { kind: DocumentKind::Other, number: normal::document_number(value) };
            personal.document = Some(read.unwrap_or_else(|_| other()));
        }
        "birthday" => personal.birthday = Some(fields::birthday(date(value).ok(), today)?),
        "address" => personal.address = Some(fields::note(value)?),
        "email" => personal.email = Some(fields::email(value)?),
        "remark" => personal.remark = Some(fields::note(value)?),
        _ => return Err(FieldError::Empty),
    }
    Ok(())
}
