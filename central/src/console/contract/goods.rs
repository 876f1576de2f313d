//! Operations about cards (K14–K19, H5–H8) and goods on shelves (N1–N4).

use super::super::{cards as listed, issuing, stock as shelves};
use super::{Operation, get, post};

/// Cards.
pub(super) fn cards() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/cards",
            listed::list,
            "Cards by time of issue or replacement, holder and kind, the oldest first.",
        )
        .asks("by:issued|replaced from:day until:day kind status holder rank cursor limit:int")
        .tells("cards:[Card] next?"),
        post("/api/v1/cards", issuing::issue, "Issues a card to a member.")
            .takes("card uid member! kind under:id medium:bool office valid_until")
            .creates()
            .tells("Card"),
        post(
            "/api/v1/cards/batch",
            issuing::batch,
            "Issues many cards, a line for each; all of them or none.",
        )
        .takes("rows! kind office")
        .or_table()
        .tells("cards:[IssuedCard]"),
        get("/api/v1/cards/due", listed::due, "Main cards that points ask to change, the oldest first.")
            .asks("cursor limit:int")
            .tells("cards:[DueCard] next?"),
        get(
            "/api/v1/cards/{id}",
            listed::one,
            "One card, what stands under it, and which terminals know its state.",
        )
        .tells("Card"),
        post("/api/v1/cards/{id}/replace", issuing::replace, "Replaces a card by another.")
            .takes("card uid kind office valid_until member under:id medium:bool reason!")
            .tells("Card"),
        post("/api/v1/cards/{id}/status", issuing::set_status, "Freezes, finds, stops or voids a card.")
            .takes("status!:active|lost|stopped|void reason!")
            .tells("Card"),
    ]
}

/// Goods on shelves.
pub(super) fn stock() -> Vec<Operation> {
    const ASKED: &str = "class!:gift|blank_card code! pieces!:int key! reason! from! to!";
    vec![
        get("/api/v1/stock", shelves::shelves, "What lies on the shelves, of an office or of all.")
            .asks("office sort:office|pieces|-pieces")
            .tells("shelves:[Shelf]"),
        get("/api/v1/stock/items", shelves::items, "All items of stock.").tells("items:[StockItem]"),
        post("/api/v1/stock/items", shelves::set_item, "Adds an item, or changes or retires one.")
            .takes("class!:gift|blank_card code! zh! en! item:id retired:bool")
            .tells("StockItem"),
        get("/api/v1/stock/lines", shelves::lines, "The lines of an item at an office, the oldest first.")
            .asks("office! class! code! cursor limit:int")
            .tells("lines:[StockLine] next?"),
        post(
            "/api/v1/stock/moves",
            shelves::move_goods,
            "Moves goods between shelves, suppliers and losses.",
        )
        .takes(ASKED)
        .creates()
        .tells("movement:hash"),
        post("/api/v1/stock/counts", shelves::count, "Takes the count of a shelf.")
            .takes("class!:gift|blank_card code! pieces!:int key! reason! office!")
            .creates()
            .tells("movement:hash"),
        get(
            "/api/v1/stock/findings",
            shelves::findings,
            "What closes of day found beyond what was expected.",
        )
        .asks("state cursor limit:int")
        .tells("findings:[Finding] next?"),
        post(
            "/api/v1/stock/findings/{id}/{class}/explain",
            shelves::explain,
            "Explains what a close of day found.",
        )
        .takes("lines:[text] reason!")
        .tells("finding class state"),
    ]
}
