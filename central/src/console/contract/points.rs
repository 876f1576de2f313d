//! Operations about points, redemption and stored value (K20–K24, H4).

use super::super::{
    bills, birthdays, catalogue as things, coupons, events, levels, points as changes, rankings,
    redemptions as plans, statement, transfers, value as stored,
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
        .asks("state sort:asked|-asked|points|-points cursor limit:int")
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

/// Events that earn and are no purchases.
pub(super) fn events() -> Vec<Operation> {
    vec![
        post("/api/v1/events", events::tell, "Tells of an event that earns or costs by the scheme, once per serial.")
            .takes(
                "member! kind!:activity|care|complaint|task|promo|refusal code day:day fen:int paid_percent:int serial! \
                 office activity:id reason",
            )
            .creates()
            .tells("ToldEvent"),
        post("/api/v1/events/{id}/take-back", events::take_back, "Takes an event back that was told wrongly.")
            .takes("reason!")
            .tells("ToldEvent"),
        get("/api/v1/members/{id}/events", events::of_member, "Events of a member, in the order of telling.")
            .asks("cursor limit:int")
            .tells("member:id events:[ToldEvent] next?"),
    ]
}

/// Coupons, birthdays, levels and awards of rankings, which a scheme gives by itself, and what is to pay with them.
pub(super) fn rights() -> Vec<Operation> {
    vec![
        get("/api/v1/members/{id}/coupons", coupons::of_member, "Coupons of a member, by their first day.")
            .asks("sort:from|-from cursor limit:int")
            .tells("member:id coupons:[Coupon] next?"),
        post(
            "/api/v1/coupons/{id}/use",
            coupons::use_one,
            "Uses a coupon; one of a birthday with what was shown.",
        )
        .takes("office! reason! card:bool id_card:bool own_use:bool")
        .tells("Coupon"),
        post("/api/v1/bills", bills::reckon, "What is to pay of a price, step by step; nothing is used up.")
            .takes(
                "member! office! price!:int coupon:hash points:int goods birthday:bool card:bool id_card:bool \
                 own_use:bool",
            )
            .tells("Bill"),
        get(
            "/api/v1/birthdays",
            birthdays::list,
            "Uses of the birthday's discount in a month, this one by default, the oldest first.",
        )
        .asks("month office cursor limit:int")
        .tells("month uses:[BirthdayUse] next?"),
        post("/api/v1/birthdays", birthdays::use_one, "Uses a member's birthday discount, with what was shown.")
            .takes("member! office! slip! reason! key! card:bool id_card:bool own_use:bool")
            .creates()
            .tells("use:hash new:bool"),
        post("/api/v1/birthdays/{id}/undo", birthdays::undo, "Takes a use of the birthday's discount back.")
            .takes("reason!")
            .tells("BirthdayUse"),
        get(
            "/api/v1/members/{id}/birthdays",
            birthdays::of_member,
            "A member's uses of the birthday's discount, the oldest first.",
        )
        .tells("member:id uses:[BirthdayUse]"),
        get(
            "/api/v1/members/{id}/level",
            levels::of_member,
            "Where a member's level stands, and what moved it.",
        )
        .asks("cursor:int limit:int")
        .tells("member:id rank:int name since?:day until?:day in_grace:bool steps:[LevelStep] next?:int"),
        get(
            "/api/v1/rankings",
            rankings::list,
            "Awards of rankings, the newest period first and in it the first of all first.",
        )
        .asks("cursor limit:int")
        .tells("awards:[RankingAward] next?"),
        post(
            "/api/v1/rankings/{id}/give",
            rankings::give,
            "Gives an award, once; a gift of stock comes off the shelf of the office.",
        )
        .takes("office! reason!")
        .tells("RankingAward"),
        get("/api/v1/members/{id}/rankings", rankings::of_member, "Awards of a member, the newest first.")
            .asks("cursor limit:int")
            .tells("member:id awards:[RankingAward] next?"),
    ]
}

/// Redemption by plans.
pub(super) fn redemptions() -> Vec<Operation> {
    vec![
        get("/api/v1/redemptions", plans::list, "Plans of redemption, the newest first, each with its figures.")
            .asks("sort:planned|-planned cursor limit:int")
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
            .asks("cursor limit:int")
            .tells("redemptions:[OwnRedemption] next?"),
    ]
}

/// Redemption of single things from the catalogue.
pub(super) fn catalogue() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/redemptions/catalogue",
            things::catalogue,
            "What each thing of the catalogue costs a member today, and why it cannot be had.",
        )
        .asks("member! office! purchase")
        .tells(
            "member:id office:id day:day points:int cash_per_point:int items:[CatalogueItem] \
             purchases:[OpeningPurchase]",
        ),
        get(
            "/api/v1/redemptions/items",
            things::list,
            "What was redeemed from the catalogue, the newest first.",
        )
        .asks("state:waiting|done|returned|taken_back member:id cursor limit:int")
        .tells("redemptions:[ItemRedemption] next?"),
        post(
            "/api/v1/redemptions/items",
            things::redeem,
            "Redeems an item of the catalogue by its code, or points for cash.",
        )
        .takes("member! office! code points:int purchase reason! key!")
        .creates()
        .tells("ItemRedemption"),
        post(
            "/api/v1/redemptions/items/{id}/decide",
            things::decide,
            "Approves or returns a redemption that waits.",
        )
        .takes("approved!:bool reason!")
        .tells("ItemRedemption"),
        post(
            "/api/v1/redemptions/items/{id}/back",
            things::take_back,
            "Takes a redemption back: the points return, and a gift goes back to its shelf.",
        )
        .takes("reason!")
        .tells("ItemRedemption"),
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
