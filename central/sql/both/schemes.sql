-- Texts that versions of the scheme were written from.

-- name: put
INSERT INTO scheme_text (version, body, actor, written) VALUES ($1, $2, $3, $4) ON CONFLICT (version) DO NOTHING

-- name: all
SELECT version, body, actor, written FROM scheme_text ORDER BY version
