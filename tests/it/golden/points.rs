//! One act of each kind about points, and of those about who decides, with every optional field filled somewhere.

use hufu_shared::act::{
    Act, Actor, BirthdayTakenBack, BirthdayUsed, CasesHanded, CasesPutOff, CouponGiven, CouponUsed,
    CouponWhy, CouponsGiven, EventTakenBack, EventTold, FilledUp, ItemDecided, ItemRedeemed, ItemTakenBack,
    LevelMove, LevelWhy, LevelsMoved, MembersRanked, PointsChange, PointsChanged, PointsDecided,
    PointsFilledUp, PointsTransferred, PointsTrigger, PurchasesDue, Ranked, RankingAwarded, RedeemedBy,
    RedeemedFor, Redeems, RedemptionPlan, RedemptionRun, RedemptionStep, RedemptionStepped, StandInEnded,
    StandInNamed, TriggerOn, Triggered,
};
use hufu_shared::ids::{DeviceId, FactId, Hash, ItemId, MemberId, OccurrenceId, OfficeId, OperatorId};
use hufu_shared::money::Amount;
use hufu_shared::rules::level::Standing;
use hufu_shared::scheme::Words;
use hufu_shared::scheme::earning::EarnKind;
use hufu_shared::time::{Day, Instant};

const MEMBER: MemberId = MemberId([0x33; 16]);
const OFFICE: OfficeId = OfficeId([0x22; 16]);
const PLAN: Hash = Hash([0x72; 32]);
const ITEM: Hash = Hash([0x77; 32]);
const MONDAY: Day = Day(20_773);

/// An act of every kind about points.
pub fn acts() -> Vec<Act> {
    let change = |name: u8, points: i64| PointsChange {
        id: Hash([name; 32]),
        member: MEMBER,
        points,
        cause: "activity".to_owned(),
        office: OFFICE,
        occurrence: Some(OccurrenceId([0x44; 16])),
        fact: Some(FactId { device: DeviceId([0x11; 16]), epoch: 1, seq: 42 }),
        reason: Hash([0x19; 32]),
    };
    let plain = PointsChange { cause: "care".to_owned(), occurrence: None, fact: None, ..change(0x71, -20) };
    let by = RedeemedBy {
        levels: vec!["金卡".to_owned()],
        tags: vec!["老业主".to_owned()],
        members: vec![MEMBER],
        at_least: 100,
        at_most: Some(5_000),
    };
    vec![
        Act::PointsChanged(PointsChanged {
            changes: vec![change(0x70, 6), plain],
            waits: true,
            trigger: Some(Triggered { trigger: Hash([0x74; 32]), upto: Instant(1_795_320_000_000_000) }),
        }),
        Act::PointsDecided(PointsDecided {
            changes: vec![Hash([0x70; 32])],
            approved: true,
            reason: Hash([0x1a; 32]),
        }),
        Act::PointsTriggerSet(PointsTrigger {
            id: Hash([0x74; 32]),
            on: TriggerOn::Earned,
            office: Some(OFFICE),
            cause: "purchase".to_owned(),
            points: 2,
            per_fen: 10_000,
            retired: false,
        }),
        Act::PurchasesDue(PurchasesDue { week: MONDAY, members: vec![MEMBER] }),
        Act::RedemptionPlanned(Box::new(RedemptionPlan {
            id: PLAN,
            name: Words { zh: "年终兑礼".to_owned(), en: "Year-end gifts".to_owned() },
            from: MONDAY,
            until: Day(20_803),
            office: OFFICE,
            by,
            what: RedeemedFor::Gift { item: ItemId([0x73; 16]), points: 500 },
        })),
        Act::RedemptionStepped(RedemptionStepped {
            plan: PLAN,
            step: RedemptionStep::Approve,
            reason: Hash([0x1b; 32]),
        }),
        Act::RedemptionRun(RedemptionRun { plan: PLAN, members: vec![MEMBER] }),
        Act::ItemRedeemed(ItemRedeemed {
            id: ITEM,
            member: MEMBER,
            office: OFFICE,
            what: Redeems::Item {
                code: "gift".to_owned(),
                stock: Some(ItemId([0x73; 16])),
                purchase: Some(FactId { device: DeviceId([0x11; 16]), epoch: 1, seq: 42 }),
            },
            reason: Hash([0x1f; 32]),
        }),
        Act::ItemDecided(ItemDecided { redemption: ITEM, approved: true, reason: Hash([0x20; 32]) }),
        Act::ItemTakenBack(ItemTakenBack { redemption: ITEM, reason: Hash([0x21; 32]) }),
        Act::CouponsGiven(CouponsGiven {
            until: Day(20_790),
            scheme: 3,
            coupons: vec![CouponGiven {
                id: Hash([0x76; 32]),
                member: MEMBER,
                why: CouponWhy::Birthday,
                fen: 20_000,
                from: MONDAY,
                until: Some(Day(20_803)),
            }],
        }),
        Act::CouponUsed(CouponUsed { coupon: Hash([0x76; 32]), office: OFFICE, reason: Hash([0x1e; 32]) }),
        Act::BirthdayUsed(BirthdayUsed {
            id: Hash([0x77; 32]),
            member: MEMBER,
            office: OFFICE,
            slip: "B0620-0017".to_owned(),
            reason: Hash([0x1f; 32]),
        }),
        Act::BirthdayTakenBack(BirthdayTakenBack { id: Hash([0x77; 32]), reason: Hash([0x20; 32]) }),
        Act::CasesHanded(CasesHanded {
            cases: vec![Hash([0x17; 32]), Hash([0x18; 32])],
            to: Some(OperatorId([0x19; 16])),
        }),
        Act::CasesPutOff(CasesPutOff {
            cases: vec![Hash([0x17; 32])],
            until: Some(Instant(1_795_341_600_000_000)),
        }),
        Act::LevelsMoved(levels_moved(None, None)),
        Act::EventTold(Box::new(EventTold {
            id: Hash([0x77; 32]),
            member: MEMBER,
            kind: EarnKind::Activity,
            of: "salon".to_owned(),
            day: MONDAY,
            cost: Amount(12_800),
            paid_percent: 99,
            serial: "HD-2026-0042".to_owned(),
            office: OFFICE,
            occurrence: Some(OccurrenceId([0x44; 16])),
            reason: Hash([0x1f; 32]),
        })),
        Act::EventTakenBack(EventTakenBack { event: Hash([0x77; 32]), reason: Hash([0x20; 32]) }),
        Act::PointsFilledUp(PointsFilledUp {
            until: Day(20_790),
            members: vec![FilledUp {
                member: MEMBER,
                office: OFFICE,
                day: Day(20_789),
                from: 1_400,
                to: 1_500,
                scheme: 3,
            }],
        }),
        Act::MembersRanked(MembersRanked {
            from: MONDAY,
            until: Day(20_789),
            scheme: 3,
            award: "quarter-gift".to_owned(),
            places: vec![Ranked { member: MEMBER, points: 9_500, reached: Day(20_780) }],
        }),
        Act::RankingAwarded(RankingAwarded {
            award: Hash([0x77; 32]),
            office: OFFICE,
            item: Some(ItemId([0x73; 16])),
            reason: Hash([0x1f; 32]),
        }),
        Act::PointsTransferred(PointsTransferred {
            id: Hash([0x75; 32]),
            from: MEMBER,
            to: MemberId([0x34; 16]),
            points: 120,
            office: OFFICE,
            reason: Hash([0x1c; 32]),
        }),
        Act::StandInNamed(StandInNamed {
            id: Hash([0x78; 32]),
            stand_in: OperatorId([0x35; 16]),
            from: Instant(1_795_320_000_000_000),
            until: Instant(1_795_924_800_000_000),
        }),
        Act::StandInEnded(StandInEnded { id: Hash([0x78; 32]) }),
    ]
}

/// Who performs an act in another's place.
pub fn stand_in() -> Actor {
    Actor::StandIn(OperatorId([0x35; 16]), OperatorId([0x36; 16]))
}

/// Levels moved as acts say it since steps have a place and take growth.
pub fn levels_placed() -> LevelsMoved {
    levels_moved(Some(500), Some(3))
}

fn levels_moved(taken: Option<i64>, place: Option<u32>) -> LevelsMoved {
    let step = LevelMove {
        member: MEMBER,
        day: Day(20_789),
        why: LevelWhy::Grace,
        from: 2,
        to: Standing { rank: 2, since: MONDAY, until: Some(Day(20_819)), in_grace: true },
        measured: 900,
        threshold: 1_200,
        taken,
        place,
    };
    LevelsMoved { until: Day(20_790), scheme: 3, moves: vec![step] }
}
