"""The command that runs on a host while its figures are looked at. It is constant, and only reads.

One shell stays open, and reads lines: `+ ID:PID:n …` makes more containers known (`n`: with their network), `-` forgets
all, and `NUMBER 1 5 7` (or `NUMBER *`) asks for the counters of those, by their place in the order in which they were
made known. The shell hands each line to awk as data, never as text of a command: one process for each answer, however
many containers it is about.

What it reads: /proc/uptime, and of each container /proc/PID/cgroup (once), cpuacct.usage, memory.usage_in_bytes and
memory.stat (cgroup v1) or cpu.stat, memory.current and memory.stat (v2), and /proc/PID/net/dev. It writes nothing.
"""

from __future__ import annotations

# Every line ends up in one: no `!`, no single quotes, no backslashes and no line breaks, so that any login shell (csh
# and fish too) hands it on as it is. Portable awk: mawk, gawk, busybox and the original one read it alike.

SCRIPT = (
    "cd /; export LC_ALL=C PATH=$PATH:/usr/bin:/bin; read -r n || exit 1; "
    'command -v awk >/dev/null || { echo "fleettop:no the host has no awk"; exit 1; }; '
    "U=$(id -u); export U; l=; "
    'echo "fleettop:ready $n"; '
    "while read -r q n; do case $q in "
    '+) l="$l $(printf "%s" "$n" | awk "$2")";; '
    "-) l=;; "
    '*) printf "%s" "$l" | Q=$q N=$n awk "$1";; '
    "esac; done"
)

FIND = (
    # From `ID:PID:n` to `PID:n1/path` (1: cgroup v1, 2: v2), or `-`; one word for each.
    "function there(f,  s) { s = (getline s < f) > 0; close(f); return s } "
    "function usual(id, pid,  n, k, w, p, u) { "
    'u = "/user.slice/user-" ENVIRON["U"] ".slice/user@" ENVIRON["U"] ".service/user.slice/"; '
    'n = split("/docker/ID /system.slice/docker-ID.scope /machine.slice/libpod-ID.scope /libpod_parent/libpod-ID "'
    ' u "docker-ID.scope " u "libpod-ID.scope", w, " "); '
    "for (k = 1; k <= n; k++) { p = w[k]; sub(/ID/, id, p); "
    'if (there(root "/cpuacct" p "/cpuacct.usage")) return "1" p; '
    'if (there(root p "/cpu.stat")) return "2" p } '
    'return "" } '
    "function told(id, pid,  s, k, e, c, p, f, cpu, memory, unified) { "
    'f = "/proc/" pid "/cgroup"; '
    "while ((getline s < f) > 0) { "
    "k = index(s, id); if (k == 0) continue; "
    # A container may have groups below its own (init.scope of a systemd inside, Podman with crun): not those.
    'e = index(substr(s, k), "/"); if (e) s = substr(s, 1, k + e - 2); '
    's = substr(s, index(s, ":") + 1); k = index(s, ":"); c = "," substr(s, 1, k - 1) ","; p = substr(s, k + 1); '
    'if (c == ",,") unified = p; if (index(c, ",cpuacct,")) cpu = p; if (index(c, ",memory,")) memory = p } '
    "close(f); "
    'if (cpu && cpu == memory) return "1" cpu; '
    'return unified ? "2" unified : "" } '
    'BEGIN { root = "/sys/fs/cgroup"; '
    "while ((getline line) > 0) { count = split(line, item, / /); "
    'for (i = 1; i <= count; i++) { if (item[i] == "") continue; split(item[i], part, ":"); '
    "id = part[1]; pid = part[2]; at = told(id, pid); "
    'if (at == "" || index(at, "..")) at = usual(id, pid); '
    'if (at == "" || index(at, " ")) print "-"; else print pid ":" (part[3] == "n" ? "n" : "-") at } } }'
)

READ = (
    # One line for each: its place, CPU in ns, memory in bytes, the inactive file cache in it, received, sent. All are
    # written at once: gawk writes out what it has before it opens the next file, and each line would be a packet.
    'function number(s) { return s ~ /^[0-9]+$/ ? s : "-" } '
    'function first(f,  s) { if ((getline s < f) < 1) s = ""; close(f); return s } '
    # A file as one record: these have no empty lines.
    'function whole(f,  s) { RS = ""; if ((getline s < f) < 1) s = ""; close(f); RS = newline; return s } '
    'function field(s, key,  k) { k = index(s, key); if (k == 0) return "-"; s = substr(s, k + length(key), 24); '
    'return match(s, /^[0-9]+/) ? substr(s, 1, RLENGTH) : "-" } '
    # As the engine counts: eth0 and so on. Without those, whatever else has counted something.
    "function traffic(pid,  f, s, k, n, w, rx, tx, orx, otx, eth) { "
    'f = "/proc/" pid "/net/dev"; rx = tx = orx = otx = eth = 0; '
    'while ((getline s < f) > 0) { k = index(s, ":"); if (k == 0) continue; '
    'n = substr(s, 1, k - 1); if (n ~ /^ *lo$/) continue; split(substr(s, k + 1), w, " "); '
    "if (n ~ /^ *eth/) { eth = 1; rx += w[1]; tx += w[9] } else { orx += w[1]; otx += w[9] } } "
    "close(f); "
    'if (eth) return sprintf("%.0f %.0f", rx, tx); '
    'if (orx + otx > 0) return sprintf("%.0f %.0f", orx, otx); '
    'return "- -" } '
    "function used(at,  v, p, c) { v = substr(at, 1, 1); p = substr(at, 2); "
    'if (v == 1) { c = number(first(root "/cpuacct" p "/cpuacct.usage")); p = root "/memory" p; '
    'return c " " number(first(p "/memory.usage_in_bytes")) " " '
    'field(whole(p "/memory.stat"), "total_inactive_file ") } '
    'if (v == 2) { p = root p; c = field(whole(p "/cpu.stat"), "usage_usec "); if (c ~ /[0-9]/) c = c "000"; '
    'return c " " number(first(p "/memory.current")) " " field(whole(p "/memory.stat"), "inactive_file ") } '
    'return "- - -" } '
    'BEGIN { newline = RS; root = "/sys/fs/cgroup"; q = ENVIRON["Q"]; '
    'u = first("/proc/uptime"); out = "fleettop:at " q " " substr(u, 1, index(u, " ") - 1); '
    "while ((getline line) > 0) { n = split(line, w, / /); "
    'for (k = 1; k <= n; k++) if (w[k] == "") continue; else item[++count] = w[k] } '
    'wanted = ENVIRON["N"]; n = wanted == "*" ? count : split(wanted, which, / /); '
    "for (i = 1; i <= n; i++) { "
    'j = wanted == "*" ? i : which[i]; s = item[j]; k = index(s, ":"); '
    'out = out newline j " " used(substr(s, k + 2)) " " '
    '(substr(s, k + 1, 1) == "n" ? traffic(substr(s, 1, k - 1)) : "- -") } '
    'print out newline "fleettop:end " q }'
)
