-- Goods on shelves: what apply reads and writes, and what people look at.

-- name: stock
SELECT moved, difference, drawn, counts, lines FROM stock WHERE item = $1 AND office = $2

-- name: booked
SELECT COUNT(*) FROM stock_line WHERE cause = $1

-- name: stocktakes_of
SELECT class, office, day, at, counted, expected, state, explained FROM stocktake WHERE device = $1 AND epoch = $2 AND seq = $3

-- name: set_item
INSERT INTO stock_item (item, class, code, word_zh, word_en, retired, entry) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (item) DO UPDATE SET class = excluded.class, code = excluded.code, word_zh = excluded.word_zh, word_en = excluded.word_en,
    retired = excluded.retired, entry = excluded.entry

-- name: set_stock
INSERT INTO stock (item, office, pieces, moved, difference, drawn, counts, lines, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (item, office) DO UPDATE SET pieces = excluded.pieces, moved = excluded.moved, difference = excluded.difference,
    drawn = excluded.drawn, counts = excluded.counts, lines = excluded.lines, entry = excluded.entry

-- name: add_line
INSERT INTO stock_line (item, office, n, cause, debit, credit, pieces, code, at, day, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: set_stocktake
INSERT INTO stocktake (device, epoch, seq, class, office, day, at, counted, expected, state, explained, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (device, epoch, seq, class) DO UPDATE SET office = excluded.office, day = excluded.day, at = excluded.at,
    counted = excluded.counted, expected = excluded.expected, state = excluded.state, explained = excluded.explained,
    entry = excluded.entry

-- name: items
SELECT item, class, code, word_zh, word_en, retired FROM stock_item ORDER BY class, code

-- name: item_by_code
SELECT item, class, code, word_zh, word_en, retired FROM stock_item WHERE class = $1 AND code = $2

-- name: shelves
SELECT o.code, i.class, i.code, i.word_zh, i.word_en, s.pieces, s.moved, s.difference, s.drawn, s.item, s.office
FROM stock s JOIN office o ON o.id = s.office LEFT JOIN stock_item i ON i.item = s.item
WHERE ($1 = '' OR o.code = $1) ORDER BY o.code, i.class, i.code, s.item

-- name: lines
SELECT l.n, l.debit, l.credit, l.pieces, l.code, l.at, l.day, l.cause FROM stock_line l
WHERE l.item = $1 AND (l.office = $2 OR l.debit = $3 OR l.credit = $3) AND l.at >= $4 AND (l.at > $4 OR l.n > $5)
ORDER BY l.at, l.n LIMIT $6

-- name: lines_newest
SELECT l.n, l.debit, l.credit, l.pieces, l.code, l.at, l.day, l.cause FROM stock_line l
WHERE l.item = $1 AND (l.office = $2 OR l.debit = $3 OR l.credit = $3) ORDER BY l.at DESC, l.n DESC LIMIT $4

-- name: stocktakes
SELECT t.device, t.epoch, t.seq, t.class, t.office, t.day, t.at, t.counted, t.expected, t.state, o.code, d.name
FROM stocktake t JOIN office o ON o.id = t.office JOIN device d ON d.id = t.device
WHERE t.state = $1 AND t.counted <> t.expected AND (t.day > $2 OR (t.day = $2 AND t.seq > $3)) ORDER BY t.day, t.seq, t.device, t.class LIMIT $4
