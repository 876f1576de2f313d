//! Operations about points, redemption and stored value (K20–K24, H4).

use super::super::{
    coupons, levels, points as changes, redemptions as plans, statement, transfers, value as stored,
};
use super::{Operation, get, post};

/// Changes of points with their cause, and the statement.
pub(super) fn points() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/points",
            changes::list,
            "Changes in a state, those that wait by default, the oldest first.",
        )
        .asks("state cursor limit:int")
        .tells("changes:[PointsChange] next?"),
        post(
            "/api/v1/points",
            changes::change,
            "Changes a member's points, or files the change for approval.",
        )
        .takes("member! points!:int cause! office activity:id reason! waits:bool key!")
        .creates()
        .tells("changes:[MadeChange]"),
        post(
            "/api/v1/points/batch",
            changes::batch,
            "Changes the points of many members; all of them or none.",
        )
        .takes("rows! cause office activity:id reason waits:bool key! member points")
        .or_table()
        .creates()
        .tells("changes:[MadeChange]"),
        post(
            "/api/v1/points/transfer",
            transfers::give,
            "Gives points of one member to another, by their numbers.",
        )
        .takes("from! to! points!:int office reason! key!")
        .creates()
        .tells("transfer:hash new:bool"),
        post("/api/v1/points/decide", changes::decide, "Approves or returns changes that wait, all or none.")
            .takes("changes!:[hash] approved!:bool reason!")
            .tells("decided:int"),
        get("/api/v1/points/triggers", changes::triggers, "What makes changes of points by itself.")
            .tells("triggers:[Trigger]"),
        post(
            "/api/v1/points/triggers",
            changes::set_trigger,
            "Sets a trigger up under a key, changes or retires it.",
        )
        .takes("key! on!:visited|attended|earned points!:int per_fen:int cause! office retired:bool")
        .tells("Trigger"),
        get(
            "/api/v1/members/{id}/statement",
            statement::of_member,
            "A member's statement, the oldest line first.",
        )
        .asks("unit:PTS|GROWTH|CNY cursor limit:int")
        .tells("member:id number unit lines:[StatementLine] next?"),
    ]
}

/// Coupons and levels, which a scheme gives by itself.
pub(super) fn rights() -> Vec<Operation> {
    vec![
        get("/api/v1/members/{id}/coupons", coupons::of_member, "Coupons of a member, by their first day.")
            .tells("member:id coupons:[Coupon]"),
        post(
            "/api/v1/coupons/{id}/use",
            coupons::use_one,
            "Uses a coupon; one of a birthday with what was shown.",
        )
        .takes("office! reason! card:bool id_card:bool own_use:bool")
        .tells("Coupon"),
        get(
            "/api/v1/members/{id}/level",
            levels::of_member,
            "Where a member's level stands, and what moved it.",
        )
        .tells("member:id rank:int name since?:day until?:day in_grace:bool steps:[LevelStep]"),
    ]
}

/// Redemption by plans.
pub(super) fn redemptions() -> Vec<Operation> {
    vec![
        get("/api/v1/redemptions", plans::list, "Plans of redemption, the newest first, each with its figures.")
            .asks("cursor limit:int")
            .tells("redemptions:[RedemptionPlan] next?"),
        post("/api/v1/redemptions", plans::plan, "Plans a redemption under a key.")
            .takes(
                "key! zh! en! from!:day until!:day office! kind!:gift|cash gift points:int worth levels:[text] \
                 tags:[text] members:[text] at_least:int at_most:int",
            )
            .tells("RedemptionPlan"),
        get("/api/v1/redemptions/{id}", plans::one, "One plan with its figures.").tells("RedemptionPlan"),
        post("/api/v1/redemptions/{id}/step", plans::step, "Approves, returns or ends a plan.")
            .takes("step!:approve|return|end reason!")
            .tells("RedemptionPlan"),
        post("/api/v1/redemptions/{id}/run", plans::run, "Carries a plan out for all whom it names.")
            .tells("RedemptionPlan"),
        get("/api/v1/redemptions/{id}/lines", plans::lines, "What members got by a plan.")
            .asks("cursor:id limit:int")
            .tells("lines:[RedemptionLine] next?:id"),
        get("/api/v1/members/{id}/redemptions", plans::of_member, "What one member redeemed, the newest first.")
            .tells("redemptions:[OwnRedemption]"),
    ]
}

/// Stored value; all amounts that are told are in fen.
pub(super) fn value() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/members/{id}/value",
            stored::of_member,
            "What a member has stored, and the newest lines.",
        )
        .tells("StoredValue"),
        post("/api/v1/members/{id}/value/freeze", stored::freeze, "Freezes stored value, or sets it free.")
            .takes("frozen!:bool reason!")
            .tells("StoredValue"),
        post(
            "/api/v1/members/{id}/value/carry",
            stored::carry,
            "Carries stored value over; the amount in yuan.",
        )
        .takes("to! card amount! office! key! reason!")
        .tells("StoredValue"),
    ]
}
