-- name: balances
SELECT account, unit, amount FROM balance WHERE amount <> 0 ORDER BY account, unit

-- name: sums
SELECT account, unit, CAST(SUM(signed) AS BIGINT) FROM (SELECT credit AS account, unit, amount AS signed FROM posting UNION ALL SELECT debit AS account, unit, -amount AS signed FROM posting) p GROUP BY account, unit HAVING SUM(signed) <> 0 ORDER BY account, unit
