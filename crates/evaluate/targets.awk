# Holds what the searches reached against the targets, from targets.csv and the summaries of the runs:
#   awk -F, -v folder=target/evaluation -f targets.awk targets.csv
# The folder has RUN.summary.csv and RUN.seconds for every run that targets.csv names.

function load(run,    path, columns, i) {
    if (run in loaded) return
    loaded[run] = 1
    path = folder "/" run ".summary.csv"
    if ((getline line < path) <= 0) return
    split(line, columns, ",")
    while ((getline line < path) > 0) {
        split(line, cells, ",")
        for (i in columns) value[run, cells[1], cells[2], columns[i]] = cells[i]
        groups[run, ++count[run]] = cells[1] "," cells[2]
    }
    close(path)
    if ((getline line < (folder "/" run ".seconds")) > 0) seconds[run] = line
}

# The worst over the pairs, whose names have a plus sign.
function worst(run, strategy, measure, relation,    i, parts, found, own) {
    found = ""
    for (i = 1; i <= count[run]; i++) {
        split(groups[run, i], parts, ",")
        if (parts[1] != strategy || parts[2] !~ / \+ /) continue
        own = value[run, strategy, parts[2], measure]
        if (found == "" || (relation == "at least" ? own + 0 < found + 0 : own + 0 > found + 0)) found = own
    }
    return found
}

function show(a, b, c, d, e, f, g) {
    printf "%-12s %-8s %-11s %-18s %-14s %9s  %s\n", a, b, c, d, e, f, g
}

NR == 1 { show("run", "strategy", "problems", "measure", "target", "reached", ""); next }

{
    run = $1; strategy = $2; group = $3; measure = $4; relation = $5; target = $6
    load(run)
    if (measure == "seconds") reached = seconds[run]
    else if (group == "every pair") reached = worst(run, strategy, measure, relation)
    else reached = value[run, strategy, group, measure]
    if (reached == "" || reached == "-") verdict = "not run"
    else if (relation == "at least") verdict = (reached + 0 >= target + 0) ? "met" : "MISSED"
    else verdict = (reached + 0 <= target + 0) ? "met" : "MISSED"
    show(run, strategy, group, measure, relation " " target, reached, verdict)
}
