-- Decisions are counted by each rule that had a say, too. The lists are made again, so that what was projected before is
-- counted as well.
DELETE FROM blocks;
DELETE FROM summaries;
DELETE FROM cursors;
DELETE FROM tallies;
