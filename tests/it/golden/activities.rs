//! One act of each kind about activities, with every optional field filled somewhere.

use hufu_shared::act::{
    Act, ActivityCostSet, ActivityDecided, ActivityPlan, ActivityPlanned, Admission, OccurrenceEnded,
    RemindersDue, SignUpStep, SignedUp,
};
use hufu_shared::cbor;
use hufu_shared::fact::{Attended, Event};
use hufu_shared::ids::{ActivityId, Hash, MemberId, OccurrenceId};
use hufu_shared::money::Amount;
use hufu_shared::scheme::Words;

use super::samples::occurrence;

const ACTIVITY: ActivityId = ActivityId([0x45; 16]);
const OCCURRENCE: OccurrenceId = OccurrenceId([0x44; 16]);

/// An act of every kind about activities.
pub fn acts() -> Vec<Act> {
    let plan = ActivityPlan {
        activity: ACTIVITY,
        name: Words { zh: "业主茶会".to_owned(), en: "Owners' tea".to_owned() },
        kind: "salon".to_owned(),
        place: "湖心亭".to_owned(),
        programme: "品茶、问答".to_owned(),
        heads: 30,
        cost: Amount(90_000),
        admission: None,
    };
    vec![
        Act::ActivityPlanned(Box::new(ActivityPlanned { plan, occurrences: vec![occurrence()] })),
        Act::ActivityDecided(ActivityDecided {
            activity: ACTIVITY,
            approved: true,
            reason: Hash([0x46; 32]),
        }),
        Act::OccurrenceEnded(OccurrenceEnded { occurrence: OCCURRENCE, reason: Hash([0x47; 32]) }),
        Act::SignedUp(SignedUp {
            occurrence: OCCURRENCE,
            member: MemberId([0x33; 16]),
            step: SignUpStep::SignUp,
            companions: None,
        }),
        Act::ActivityCostSet(ActivityCostSet {
            activity: ACTIVITY,
            item: 1,
            what: "茶点".to_owned(),
            occurrence: Some(OCCURRENCE),
            cost: Amount(50_000),
        }),
        Act::RemindersDue(RemindersDue { occurrence: OCCURRENCE, members: vec![MemberId([0x33; 16])] }),
    ]
}

/// What plans, sign-ups and check-ins learned to say later is left out where nothing is to be said: the samples above have
/// the bytes that they had before. Where it is said it reads back.
#[test]
fn what_came_later_is_said_only_where_there_is_something_to_say() {
    for act in acts() {
        let said = match act.clone() {
            Act::SignedUp(step) => Act::SignedUp(SignedUp { companions: Some(2), ..step }),
            Act::ActivityPlanned(mut planned) => {
                planned.plan.admission = Some(Admission::Daily);
                for row in &mut planned.occurrences {
                    row.audience.companions = Some(3);
                    row.guests.iter_mut().for_each(|guest| guest.companions = Some(1));
                }
                Act::ActivityPlanned(planned)
            }
            _ => continue,
        };
        let bytes = cbor::encode(&said);
        assert!(bytes.len() > cbor::encode(&act).len(), "{}", act.name());
        let read: Act = cbor::decode(&bytes).expect("reads back");
        assert_eq!(read, said);
    }
    let facts = super::samples::facts();
    let attended = facts.iter().find_map(|fact| match &fact.event {
        Event::Attended(attended) => Some(attended.clone()),
        _ => None,
    });
    let alone = attended.expect("a check-in is among them");
    let party = Attended { companions: Some(2), ..alone.clone() };
    let bytes = cbor::encode(&party);
    assert!(bytes.len() > cbor::encode(&alone).len());
    let read: Attended = cbor::decode(&bytes).expect("reads back");
    assert_eq!(read, party);
}
