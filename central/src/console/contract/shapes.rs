//! Shapes that several answers share, or that stand in lists: by name, each a line of [`super::shape`].

/// All of them, by name.
pub(super) const SHAPES: &[(&str, &str)] = &[
    ("Account", "id:id login name role superior?:id office?:id password*"),
    (
        "Activity",
        "activity:id name:Words kind place programme heads:int cost_planned:int state planned:time decided?:time \
         admission?:once|daily|reentry|exits occurrences*:[Occurrence] costs*:[ActivityCost] cost*:int attended*:int \
         companions*:int cost_per_head*:any cost_per_head_planned*:any",
    ),
    ("ActivityCost", "item:int what occurrence?:id cost:int"),
    (
        "Application",
        "application route way? kind office?:id referrer?:id filed:time state member?:id standing automatic:bool \
         carer?:id last_day?:day overdue:bool situation*:any",
    ),
    ("Association", "application step member:id number? project? due:time done?:time"),
    ("Audience", "listed:bool levels:[text] companions?:int counted?:bool"),
    (
        "Bill",
        "member:id number day:day office scheme:int price:int steps:[BillStep] left:[BillLeft] to_pay:int \
         points_used:int earns_on:int earns:int waits:int rule? level?:LevelDiscount celebrates:bool",
    ),
    ("BillLeft", "step:coupon|points|level_discount|birthday_discount why sentence"),
    ("BillStep", "step:coupon|points|level_discount|birthday_discount by:int rest:int sentence"),
    (
        "BirthdayUse",
        "use:hash member:id office:id day:day at:time slip scheme:int by taken_back?:time taken_back_by? sentence",
    ),
    ("CaredFor", "member:id number? name? carer:id"),
    (
        "Card",
        "card:id member?:id number? kind status tail valid_from?:time valid_until?:time rank under?:id office?:id \
         issued?:time replaces?:id replaced_by?:id replaced?:time ended?:time ended_by? due_kind? due_since?:day \
         below*:[CardBelow] terminals_have*:int terminals_lack*:[text]",
    ),
    ("CardBelow", "card:id kind status rank"),
    (
        "Case",
        "case:hash kind:int state member?:id occurrence?:id device?:id automatic verdict? opened:time changed:time \
         facts:[CaseFact] facts_all:int",
    ),
    ("CaseFact", "fact:any at:any became:any office"),
    (
        "CatalogueItem",
        "code name:Words kind:gift|cash|coupon|lottery|order_pay cost:int normal:int may:bool waits:bool why? \
         sentence? pieces?:int",
    ),
    ("CashLine", "teller:any method what count:int amount:int not_booked:int"),
    ("CashMethod", "method amounts:{int} net:int"),
    (
        "CashTerminal",
        "device:id name topped_up:int paid_out:int closed:any last_contact?:time queued?:int may_lack:bool",
    ),
    ("Changed", "member:id at:time"),
    ("DayCase", "case:hash kind:int opened:time"),
    (
        "DayDifference",
        "difference:hash matter:missing|not_closed|differs|drawer|cases device?:id size:int explained:bool reason?",
    ),
    (
        "DayFigures",
        "expected:int reported:int missing:int facts:int open_cases:int promised:int posted:int unexplained:int \
         cash_net:int",
    ),
    (
        "DayLater",
        "day:day recorded:time late:bool fact event at:time became kind?:int member?:id booked:[Leg]",
    ),
    ("DaySignature", "by at:time seen:hash figures:DayFigures"),
    ("DayStep", "what:explained|signed|reopened by at:time reason?"),
    (
        "DayTerminal",
        "device:id name expected:bool reported:bool may_lack:bool state:agrees|open|differs facts:int promised:int \
         posted:int unexplained:int drawer?:int",
    ),
    // Of one that a terminal took no more is told than what came of it.
    (
        "DecidedApplication",
        "application member?:id cards:[text] route* way*:any kind* office*:any referrer*:any filed*:time state* \
         standing* automatic*:bool carer*:any last_day*:any overdue*:bool",
    ),
    (
        "Device",
        "device:id name status epoch:int presence office? acked_seq?:int last_contact?:time queued?:int software? \
         readiness:any health:any alarmed:bool",
    ),
    ("DueCard", "card:id number? tail kind to since:day"),
    ("Edit", "what by at:time before:any after:any"),
    ("EventPart", "change:hash rule amount:int balance:points|growth|both state:waiting|posted|returned"),
    ("Export", "what rows:int clear:bool by at:time"),
    ("FieldGroup", "code words:Words class:any fields:[any] retired:bool"),
    ("Finding", "finding class office terminal day:day at:time counted:int expected:int difference:int"),
    ("Coupon", "coupon:hash member:id why fen:int from:day until?:day state used?:any scheme:int"),
    ("FoundMember", "member:id number name mobile level office status:active|stopped|left joined*:day"),
    ("GateHeads", "gate?:int members:int companions:int"),
    ("Guest", "member:id number coming since:time attended*:any companions*:int companions_came*:any"),
    ("IssuedCard", "card:id new:bool"),
    (
        "ItemRedemption",
        "redemption:hash member:id office:id kind:gift|cash|coupon|lottery|order_pay code? name?:Words points:int \
         normal:int fen:int rule state:waiting|done|returned|taken_back purchase? pieces:int at:time day:day asker \
         decided?:time decider?",
    ),
    ("Job", "job rules due:bool last?:Run"),
    ("KindCount", "kind:int count:int oldest:time"),
    ("Leaving", "member:id kind state automatic:bool filed:time changed:time notice:any"),
    ("Leg", "unit:PTS|GROWTH|CNY amount:int"),
    (
        "LevelStep",
        "day:day why from:int rank:int since:day until?:day in_grace:bool measured:int threshold:int scheme:int sentence",
    ),
    ("LevelDiscount", "rank:int name:Words discount_bp:int"),
    ("Lookalike", "member:id number name? owner?"),
    ("MadeChange", "change:hash new:bool"),
    (
        "Message",
        "message:hash about member?:id application? occurrence?:id due:time told:any round?:int channel? sending*:any",
    ),
    (
        "Occurrence",
        "occurrence:id starts:time ends:time state places?:int points:int admits_once:bool exits:bool \
         audience:Audience offices:[text] invited:int placed:int waiting:int cancelled:int companions_placed:int \
         companions_waiting:int attended:int companions:int no_shows?:int cost?:int cost_per_head:any",
    ),
    (
        "OfficeDay",
        "office:id code day:day zone state:running|open|signed_once|signed|reopened over:bool seen:hash \
         figures:DayFigures first?:DaySignature second?:DaySignature differences:[DayDifference] \
         terminals:[DayTerminal] cases:[DayCase] adjustments:[DayLater] since:[DayLater] steps:[DayStep]",
    ),
    (
        "OfficeDayLine",
        "office:id code day:day state:running|open|signed_once|signed|reopened facts:int terminals:int \
         open_cases:int first?:DaySignature second?:DaySignature",
    ),
    ("OpeningPurchase", "fact fen:int slip?"),
    ("OwnRedemption", "plan:hash name:Words points:int fen:int pieces:int at:time day:day"),
    ("Past", "at:time changes:[Leg] words:any batch"),
    (
        "PointsChange",
        "change:hash member:id points:int cause office:id activity?:id fact? state trigger?:hash event?:hash \
         balance:points|growth|both asked:time asker decided?:time decider?",
    ),
    (
        "RankingAward",
        "award:hash from:day until:day place:int member:id number* points:int reached:day what scheme:int given?:time \
         giver? office?:id item?:id",
    ),
    (
        "RedemptionPlan",
        "plan:hash name:Words from:day until:day office:id what:any by:RedemptionWhom state planned:time planner \
         decided?:time decider? heads:int points:int fen:int gifts:int redeemed_now*:int left_out*:int",
    ),
    ("RedemptionWhom", "levels:[text] tags:[text] members:[id] at_least:int at_most?:int"),
    ("RedemptionLine", "member:id number points:int fen:int pieces:int at:time day:day"),
    ("Round", "round:int channel told:any messages:int of_leaving:int"),
    ("Run", "run:id job by started:time seen:time ended?:time done:int expected?:int left?:int error?"),
    ("Shelf", "office item:id class? code? words?:Words pieces:int moved:int found:int drawn:int"),
    (
        "StatementLine",
        "posting:hash booked:time at:time day:day code change:int waits:int after:int corrects:bool cause? \
         activity?:Words plan?:Words other? office?:Words terminal? batch? rule scheme:int case?:hash sentence",
    ),
    ("StockItem", "item:id class code words:Words retired:bool"),
    ("StockLine", "n:int from to pieces:int what at:time day:day cause:hash"),
    (
        "StoredValue",
        "member:id available:int owed:int at_terminals:int frozen:bool turns:[ValueTurn] lines:[ValueLine]",
    ),
    ("Term", "code words:Words order:int retired:bool"),
    ("TerminalDay", "device:id name reconciled:any"),
    (
        "ToldEvent",
        "event:hash member:id kind code day:day fen:int paid_percent:int serial office:id activity?:id scheme:int \
         asked:time asker taken_back?:time taken_back_by? gave:[EventPart]",
    ),
    ("Trigger", "trigger:hash on office?:id cause points:int per_fen:int retired:bool seen:time"),
    ("UnclosedDay", "device:id name day:day facts:int"),
    ("ValueLine", "at:time day:day change:int code other? device?"),
    ("ValueTurn", "since:time frozen:bool"),
    ("Words", "zh en"),
];

/// What every operation answers instead of what was asked for (RFC 9457).
pub(super) const PROBLEM: &str = "type title status:int detail";
