# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion: the program itself knows what may follow.
_mycompose() {
	local words
	words=$(mycompose __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _mycompose mycompose
