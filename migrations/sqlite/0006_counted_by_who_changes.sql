-- Whoever changes what is wanted of the fleet counts it in the same transaction, in place of triggers.

DROP TRIGGER board_added;
DROP TRIGGER board_changed;
DROP TRIGGER board_removed;
DROP TRIGGER job_added;
DROP TRIGGER job_changed;
DROP TRIGGER setting_added;
DROP TRIGGER setting_changed;
