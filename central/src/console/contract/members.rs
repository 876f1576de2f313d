//! Operations about joining and leaving, members' records, and messages (K1–K13, L1, Y1, Z1).

use super::super::{
    accounts, applications, approve, associations, brought, codes, details, edits, groups, leaving,
    member_list, members as found, people as records,
};
use super::{Operation, get, post};

/// Applications, what the sales system is told, accounts of staff and who cares for whom.
pub(super) fn joining() -> Vec<Operation> {
    vec![
        get("/api/v1/applications", applications::list, "Applications filed at the centre, the oldest first.")
            .asks("sort:filed|-filed cursor limit:int")
            .tells("applications:[Application] next?"),
        post("/api/v1/applications", applications::file, "Files an application.")
            .takes(
                "name! sex mobile home_phone document birthday address email remark project route way kind office \
                 referrer standing automatic:bool key number card reason",
            )
            .creates()
            .tells("Application"),
        post("/api/v1/applications/look", applications::look, "Members that look like somebody who is to be entered.")
            .takes("name sex mobile home_phone document birthday address email remark project")
            .tells("members:[Lookalike]"),
        post("/api/v1/applications/{id}/decide", approve::decide, "Decides an application.")
            .takes("deal!:join|bind|reject member number card with:[text] mobile home_phone address reason!")
            .tells("DecidedApplication"),
        post("/api/v1/applications/{id}/carer", accounts::hand_application, "Hands an application on to a carer.")
            .takes("carer! reason!")
            .tells("carer:id"),
        get("/api/v1/associations", associations::list, "What the sales system is to be told, or was.")
            .asks("state:due|done cursor limit:int")
            .tells("associations:[Association] next?"),
        post("/api/v1/associations/done", associations::done, "Says that a step of an application was done.")
            .takes("application! step!")
            .tells("application step"),
        get("/api/v1/accounts", accounts::list, "All accounts, by login.").tells("accounts:[Account]"),
        post("/api/v1/accounts", accounts::open, "Opens an account; the one-time password is told this once.")
            .takes("login name role! superior office")
            .tells("Account"),
        get("/api/v1/members/cared-for", accounts::cared_for, "Members whom the asker sees by who cares for them.")
            .asks("cursor:id limit:int")
            .tells("members:[CaredFor] next?:id"),
        post("/api/v1/members/{id}/carer", accounts::hand_member, "Hands a member on to another carer, by login.")
            .takes("carer! reason!")
            .tells("carer:id"),
    ]
}

/// Members as they are found and listed, and the lists that were taken out.
pub(super) fn lists() -> Vec<Operation> {
    vec![
        get("/api/v1/members", member_list::list, "Members by their numbers, or by when they joined.")
            .asks("status:active|stopped|left office sort:number|joined|-joined cursor limit:int")
            .tells("members:[FoundMember] next?"),
        get(
            "/api/v1/members/changed",
            edits::changed,
            "Members whose record changed in a period, the newest first.",
        )
        .asks("period:today|week|month|last_month cursor limit:int")
        .tells("members:[Changed] next?"),
        post(
            "/api/v1/members/search",
            found::find,
            "Members by name, a piece of it, number or mobile; or by a card.",
        )
        .takes("find card uid")
        .tells("members:[FoundMember]"),
        get("/api/v1/members/tagged", records::tagged, "Members with a tag.")
            .asks("tag! cursor:id limit:int")
            .tells("members:[id] next?:id"),
        get("/api/v1/exports", brought::exports, "The lists that were taken out, the newest first.")
            .asks("cursor limit:int")
            .tells("exports:[Export] next?"),
    ]
}

/// Members' records.
pub(super) fn people() -> Vec<Operation> {
    vec![
        post("/api/v1/members/{id}/code", codes::issue, "Makes a member code, good for a minute.")
            .tells("code made_at:time holds_s:int"),
        get(
            "/api/v1/members/{id}/details",
            details::one,
            "What the club keeps of a member beside the base data.",
        )
        .tells("member:id kind referrer?:id tags:[text] representative? carer?:id age?:int"),
        post("/api/v1/members/{id}/details", details::set, "Sets it, whole.")
            .takes("kind! referrer tags:[text] representative representative_mobile reason!")
            .tells("member:id"),
        post(
            "/api/v1/members/{id}/profile",
            details::profile,
            "Edits base data: each field that is sent is written.",
        )
        .takes("name sex mobile home_phone document birthday address email remark reason!")
        .tells("member:id fields:[text]"),
        get(
            "/api/v1/members/{id}/edits",
            edits::of_member,
            "The record of a member's edits, the newest first.",
        )
        .asks("cursor limit:int")
        .tells("edits:[Edit] next?"),
        get(
            "/api/v1/members/{id}/past",
            brought::past,
            "What a member did in the system before, the newest first.",
        )
        .asks("cursor limit:int")
        .tells("lines:[Past] next?"),
        post("/api/v1/members/{id}/secrecy", records::set_secrecy, "Says whether a member wants secrecy.")
            .takes("secret!:bool reason!")
            .tells("member:id secret:bool"),
        post("/api/v1/members/{id}/merge", records::merge, "Merges a record into the one of another number.")
            .takes("into! reason!")
            .tells("member:id merged_into?:id"),
        post(
            "/api/v1/members/{id}/unmerge",
            records::unmerge,
            "Takes a record out of the one it was merged into.",
        )
        .takes("reason!")
        .tells("member:id merged_into?:id"),
        post("/api/v1/members/{id}/erase", records::erase, "Erases what is known of a member for good.")
            .takes("number! reason!")
            .tells("member:id erased:bool"),
    ]
}

/// The club's own groups of fields, and its own staff.
pub(super) fn groups_of_fields() -> Vec<Operation> {
    vec![
        get("/api/v1/members/{id}/groups/{code}", groups::of_member, "A member's own fields of a group.")
            .tells("group class values:{text}"),
        post("/api/v1/members/{id}/groups/{code}", groups::fill_in, "Fills in a member's fields of a group.")
            .takes("field.* reason!")
            .tells("member:id filled:[text]"),
        post(
            "/api/v1/members/{id}/groups/{code}/open",
            groups::open,
            "The fields as they stand, for a stated reason.",
        )
        .takes("reason!")
        .tells("group class values:{text}"),
        get("/api/v1/field-groups", groups::list, "The club's groups of fields.")
            .tells("groups:[FieldGroup]"),
        get("/api/v1/field-groups/ready", groups::ready, "Groups that come with the program.")
            .tells("groups:[FieldGroup]"),
        post("/api/v1/field-groups", groups::set, "Sets a group up, or anew.")
            .takes("ready group:any")
            .tells("FieldGroup"),
        post(
            "/api/v1/own-staff",
            records::set_own_staff,
            "Puts somebody on the list of own staff, or takes them off.",
        )
        .takes("mobile document ended:bool")
        .tells("staff:bool"),
    ]
}

/// Leaving, messages and dictionaries.
pub(super) fn messages() -> Vec<Operation> {
    const STATE: &str = "member:id state? kind?";
    vec![
        post("/api/v1/members/{id}/leaving", leaving::file, "Puts a member down as leaving.")
            .takes("kind! reason!")
            .tells(STATE),
        post("/api/v1/members/{id}/leaving/audit", leaving::audit, "Grants a leaving, or does not.")
            .takes("archived!:bool reason!")
            .tells(STATE),
        post("/api/v1/members/{id}/restore", leaving::restore, "Takes a member out of the archive.")
            .takes("reason!")
            .tells(STATE),
        get("/api/v1/leavings", leaving::list, "Leavings in a state, the oldest first.")
            .asks("state cursor limit:int")
            .tells("leavings:[Leaving] next?"),
        get("/api/v1/messages", leaving::messages, "Messages that are due, or were told, the oldest first.")
            .asks("state:due|told cursor limit:int")
            .tells("messages:[Message] next?"),
        post("/api/v1/messages/told", leaving::tell, "Marks messages as told by a channel: one round.")
            .takes("messages!:[hash] channel!")
            .tells("round:int"),
        get("/api/v1/messages/rounds", leaving::rounds, "The rounds of telling people, and how many wait.")
            .asks("cursor:int limit:int")
            .tells("rounds:[Round] due:int due_of_leaving:int next?:int"),
        get("/api/v1/messages/{id}", leaving::message, "One message, with how its sending goes.")
            .tells("Message"),
        get(
            "/api/v1/dictionaries/{name}",
            leaving::terms,
            "One dictionary, in its order, with what is retired.",
        )
        .tells("dictionary terms:[Term]"),
        post("/api/v1/dictionaries/{name}", leaving::set_term, "Adds a word, or changes or retires one.")
            .takes("code! zh! en! order!:int retired:bool")
            .tells("Term"),
    ]
}
