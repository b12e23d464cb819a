#!/bin/bash
# CMake's compiler launcher: `cached_compiler.sh ROOT COMPILER ARGUMENTS...` names files below ROOT as seen from the
# build folder, where it runs, and compiles through ccache where there is one. So the same source in another checkout
# gives the same object, and is known there. Precompiled headers hold paths and times, and are never shared: each
# checkout makes its own, and a hash of what is in it stands for it (ccache's pch_external_checksum).
set -eu
root=$1
shift
to_root=$(realpath -s --relative-to=. "$root")
command=()
making_pch=
for argument; do
    case $argument in
        "$root"/*) argument=$to_root${argument#"$root"} ;;
        -I"$root"/*) argument=-I$to_root${argument#-I"$root"} ;;
        c++-header) making_pch=1 ;;
    esac
    command+=("$argument")
done

if [ -n "$making_pch" ]; then
    "${command[@]}"
    seen=()
    for ((i = 0; i < ${#command[@]}; i++)); do
        case ${command[i]} in
            -o) output=${command[++i]} ;;
            -c | -MD) ;;
            -MT | -MF) i=$((i + 1)) ;;
            -Xclang) [ "${command[i + 1]}" = -emit-pch ] && i=$((i + 1)) || seen+=("${command[i]}") ;;
            *) seen+=("${command[i]}") ;;
        esac
    done
    { "${command[0]}" --version && "${seen[@]}" -E -P; } | sha256sum >"$output.sum"
    exit
fi
command -v ccache >/dev/null || exec "${command[@]}"
# What a precompiled header names of the checkout that made it is named as seen from the build folder too: else what was
# compiled with it is known only as long as that checkout is there.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
exec ccache "${command[@]}"
