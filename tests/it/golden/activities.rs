//! One act of each kind about activities, with every optional field filled somewhere.

use hufu_shared::act::{
    Act, ActivityCostSet, ActivityDecided, ActivityPlan, ActivityPlanned, OccurrenceEnded, SignUpStep,
    SignedUp,
};
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
        }),
        Act::ActivityCostSet(ActivityCostSet {
            activity: ACTIVITY,
            item: 1,
            what: "茶点".to_owned(),
            occurrence: Some(OCCURRENCE),
            cost: Amount(50_000),
        }),
    ]
}
