# SPDX-License-Identifier: MIT
# fish completion for capsule-cat(1)

set -l c complete -c capsule-cat
$c -s e -l encode -d 'make capsules of what is read'
$c -l list-types -d 'list the types that are known'
$c -l type -x -a "(__fish_append , grease unknown legacy (capsule-cat --list-types 2>/dev/null | string split -f 2 ' '))" -d 'only these types, or the one to make'
$c -l context -x -d 'only datagrams with this context id'
$c -l no-context -d 'datagrams do not start with a context id'
$c -l grease -d 'now and then one of a reserved type'
$c -l max-value -x -d 'look at this much of a value'
$c -l wt-draft -x -d 'name WT_STREAM by this draft'
$c -l lenient -d 'mark what is malformed and go on'
$c -l strict -d 'end at a malformed value'
$c -l block-size -x -d 'at most this much in one capsule'
$c -l payload -d 'values and nothing else'
$c -s f -l framing -x -a 'line raw whole hex u16 varint ndjson' -d 'how one is told from the next'
$c -l raw -d 'values as they come, in hexadecimal'
$c -s o -l output -r -F -d 'write to this file'
$c -s q -l quiet -d 'no notices'
$c -s v -l verbose -d 'say more'
$c -s j -l json -d 'one JSON object per line'
$c -s h -l help -d 'show help'
$c -s V -l version -d 'show the version'
