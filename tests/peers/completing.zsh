#!/usr/bin/env -S zsh -f
# SPDX-License-Identifier: MIT
# completing.zsh FOLDER WORDS: what zsh, with the completions in FOLDER, makes
# of the words and a tab. Prints the line and the list as a terminal shows them.
zmodload zsh/zpty
export TERM=dumb
zpty shell zsh -f -i
# The shell echoes what it is told: only its answer has the word in one piece.
zpty -w shell "PS1='> '; stty cols 200; setopt interactivecomments; fpath=($1 \$fpath); \
autoload -Uz compinit; compinit -u -D; LISTMAX=1000; print LOAD''ED"
zpty -r shell seen '*LOADED*'
# The line, once completed, becomes a comment.
zpty -w -n shell "$2"$'\t\C-a# \n'"print DO''NE"$'\n'
zpty -r shell seen '*DONE*'
zpty -d shell
print -r -- "$seen" | tr -d '\r\a' | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g'
