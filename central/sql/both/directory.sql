-- name: head
SELECT n, directory, block FROM directory_head WHERE id = 1

-- name: lock_head
SELECT n, directory, block FROM directory_head WHERE id = 1 {for_update}

-- name: move_head
UPDATE directory_head SET n = $1, directory = $2, block = $3 WHERE id = 1

-- name: changed_offices
SELECT id FROM office WHERE entry = $1 ORDER BY id

-- name: changed_occurrences
SELECT id FROM occurrence WHERE entry = $1 ORDER BY id

-- name: changed_schemes
SELECT version FROM scheme WHERE entry = $1 ORDER BY version

-- name: changed_members
SELECT id FROM member WHERE entry = $1 ORDER BY id

-- name: changed_details
SELECT member FROM member_detail WHERE entry = $1 ORDER BY member

-- name: changed_cards
SELECT id FROM card WHERE entry = $1 ORDER BY id

-- name: changed_balances
SELECT member FROM balance WHERE entry = $1 AND class IN ('available', 'owed') AND unit <> 'GROWTH' AND member IS NOT NULL
UNION SELECT member FROM lease WHERE entry = $1 ORDER BY member

-- name: changed_blocks
SELECT c.id FROM card c WHERE c.status_entry = $1 AND (c.status <> 'active'
    OR EXISTS (SELECT 1 FROM directory_change x WHERE x.kind = 'block' AND x.id = c.id)
    OR EXISTS (SELECT 1 FROM card_token t JOIN fact f ON f.token = t.token
        WHERE t.card = c.id AND f.entry = $1 AND f.event IN ('card_reported_lost', 'card_replaced'))) ORDER BY c.id

-- name: set_change
INSERT INTO directory_change (kind, id, n) VALUES ($1, $2, $3) ON CONFLICT (kind, id) DO UPDATE SET n = excluded.n

-- name: set_time
INSERT INTO version_time (epoch, n, at) SELECT central_epoch, $1, $2 FROM club

-- name: time_of
SELECT at FROM version_time WHERE epoch < $1 OR (epoch = $1 AND n <= $2) ORDER BY epoch DESC, n DESC LIMIT 1

-- name: changes_after
SELECT kind, id, n FROM directory_change WHERE n > $1 AND n <= $2 AND kind <> 'block' ORDER BY n LIMIT $3

-- name: blocks_after
SELECT c.id, x.n, c.status, t.token FROM directory_change x JOIN card c ON c.id = x.id JOIN card_token t ON t.card = c.id
WHERE x.kind = 'block' AND x.n > $1 AND x.n <= $2 ORDER BY x.n, t.token DESC LIMIT $3

-- name: office_by_id
SELECT id, code, name_zh, name_en, zone, cutoff_minutes, office_group FROM office WHERE id = $1

-- name: offices_from
SELECT id, code, name_zh, name_en, zone, cutoff_minutes, office_group FROM office WHERE id > $1 ORDER BY id LIMIT $2

-- name: occurrence_by_id
SELECT id, activity, name_zh, name_en, starts, ends, state, admits_once, points, places, offices, exits, gifts, guests, audience FROM occurrence WHERE id = $1

-- name: occurrences_from
SELECT id, activity, name_zh, name_en, starts, ends, state, admits_once, points, places, offices, exits, gifts, guests, audience FROM occurrence
WHERE id > $1 ORDER BY id LIMIT $2

-- name: scheme_by_version
SELECT terms FROM scheme WHERE version = $1

-- name: schemes
SELECT terms FROM scheme ORDER BY version

-- name: member_by_id
SELECT m.id, m.level_zh, m.level_en, m.status, CAST((SELECT COALESCE(SUM(b.amount), 0) FROM balance b WHERE b.member = m.id AND b.unit = 'PTS' AND b.class IN ('available', 'owed')) + (SELECT COALESCE(SUM(l.escrow), 0) FROM lease l WHERE l.member = m.id AND l.unit = 'PTS') AS BIGINT), m.personal, CAST((SELECT COALESCE(SUM(b.amount), 0) FROM balance b WHERE b.member = m.id AND b.unit = 'CNY' AND b.class IN ('available', 'owed')) + (SELECT COALESCE(SUM(l.escrow), 0) FROM lease l WHERE l.member = m.id AND l.unit = 'CNY') AS BIGINT), (SELECT COUNT(*) FROM balance b WHERE b.member = m.id AND b.unit = 'CNY'), (SELECT COUNT(*) FROM lease l WHERE l.member = m.id AND l.is_open = 1), (SELECT d.kind FROM member_detail d WHERE d.member = m.id) FROM member m
WHERE m.id = $1

-- name: personal_of
SELECT personal FROM member WHERE id = $1

-- name: members_from
SELECT m.id, m.level_zh, m.level_en, m.status, CAST((SELECT COALESCE(SUM(b.amount), 0) FROM balance b WHERE b.member = m.id AND b.unit = 'PTS' AND b.class IN ('available', 'owed')) + (SELECT COALESCE(SUM(l.escrow), 0) FROM lease l WHERE l.member = m.id AND l.unit = 'PTS') AS BIGINT), m.personal, CAST((SELECT COALESCE(SUM(b.amount), 0) FROM balance b WHERE b.member = m.id AND b.unit = 'CNY' AND b.class IN ('available', 'owed')) + (SELECT COALESCE(SUM(l.escrow), 0) FROM lease l WHERE l.member = m.id AND l.unit = 'CNY') AS BIGINT), (SELECT COUNT(*) FROM balance b WHERE b.member = m.id AND b.unit = 'CNY'), (SELECT COUNT(*) FROM lease l WHERE l.member = m.id AND l.is_open = 1), (SELECT d.kind FROM member_detail d WHERE d.member = m.id) FROM member m
WHERE m.id > $1 ORDER BY m.id LIMIT $2

-- name: card_by_id
SELECT c.id, c.member, c.status, c.valid_from, c.valid_until, c.tail, t.token, c.rank FROM card c
JOIN card_token t ON t.card = c.id AND t.token = (SELECT x.token FROM card_token x WHERE x.card = c.id ORDER BY x.token DESC LIMIT 1) WHERE c.id = $1

-- name: cards_from
SELECT c.id, c.member, c.status, c.valid_from, c.valid_until, c.tail, t.token, c.rank FROM card c
JOIN card_token t ON t.card = c.id AND t.token = (SELECT x.token FROM card_token x WHERE x.card = c.id ORDER BY x.token DESC LIMIT 1)
WHERE c.id > $1 ORDER BY c.id LIMIT $2

-- name: snapshot
SELECT version_epoch, version_n, manifest FROM snapshot WHERE scope = $1

-- name: newest_snapshot
SELECT version_epoch, version_n, manifest FROM snapshot ORDER BY version_epoch DESC, version_n DESC LIMIT 1

-- name: put_snapshot
INSERT INTO snapshot (scope, version_epoch, version_n, manifest) VALUES ($1, $2, $3, $4)
ON CONFLICT (scope) DO UPDATE SET version_epoch = excluded.version_epoch, version_n = excluded.version_n,
    manifest = excluded.manifest

-- name: manifests
SELECT manifest FROM snapshot

-- name: put_chunk
INSERT INTO snapshot_chunk (hash, body, made_at) VALUES ($1, $2, $3)
ON CONFLICT (hash) DO UPDATE SET made_at = excluded.made_at

-- name: touch_chunk
UPDATE snapshot_chunk SET made_at = $2 WHERE hash = $1

-- name: chunk
SELECT body FROM snapshot_chunk WHERE hash = $1

-- name: old_chunks
SELECT hash FROM snapshot_chunk WHERE made_at < $1

-- name: drop_chunk
DELETE FROM snapshot_chunk WHERE hash = $1
