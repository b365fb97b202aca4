# SPDX-License-Identifier: MIT
# fish completion for capsule-cat(1)

set -l c complete -c capsule-cat
$c -l type -x -a "(__fish_append , grease unknown legacy (capsule-cat --list-types 2>/dev/null | string split -f 2 ' '))" -d 'only these types'
$c -l list-types -d 'list the types that are known'
$c -l max-value -x -d 'look at this much of a value'
$c -l no-context -d 'datagrams do not start with a context id'
$c -l wt-draft -x -d 'name WT_STREAM by this draft'
$c -l lenient -d 'mark what is malformed and go on'
$c -l strict -d 'end at a malformed value'
$c -l raw -d 'values as they come, in hexadecimal'
$c -s o -l output -r -F -d 'write to this file'
$c -s q -l quiet -d 'no notices'
$c -s v -l verbose -d 'say more'
$c -s j -l json -d 'one JSON object per line'
$c -s h -l help -d 'show help'
$c -s V -l version -d 'show the version'
