-- Whoever changes what is wanted of the fleet counts it in the same transaction, in place of triggers:
-- their function was read anew by each connection, which its first change waited for.

DROP TRIGGER board_changed ON boards;
DROP TRIGGER boards_removed ON boards;
DROP TRIGGER job_changed ON jobs;
DROP TRIGGER settings_changed ON settings;
DROP FUNCTION fleet_row_changed();
DROP FUNCTION fleet_changed();
