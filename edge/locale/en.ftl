# The terminal's texts. Keys and variables as in zh-CN.ftl.

## Member display
display-welcome = Welcome
display-greeting = Welcome, { $greeting }
display-accepted-check-in = Checked in
display-accepted-visit = Welcome
display-accepted-earn = Points recorded
display-gain = This time +{ $points }
display-points = Points { $points }
display-points-short = Points { $points }
display-points-as-of = Points { $points } (as of { $time })
display-recorded = Recorded
display-recorded-whole = Recorded for you
display-recorded-no-need = No need to tap again
display-refused = Please ask our staff
display-refused-short = Please ask staff
display-already-in = Already checked in
display-already-visited = Visit noted
display-already-earned = Recorded already
display-unknown = Unknown card
display-unknown-whole = Card not recognised
display-ask-staff = Please ask our staff
display-failed-tap = Tap again
display-failed-swipe = Swipe again
display-failed-scan = Scan again
display-keep-still = Hold still
display-keep-still-whole = Please hold the card still
display-not-ready = Out of service
display-not-ready-sorry = Please excuse us
display-idle-tap = Tap your card
display-idle-scan = Show your code
display-idle-both = Card or code
display-idle-none = Please ask our staff
