# bash completion of ciliumship; made by: ciliumship completion bash
_ciliumship() {
  local line words current candidate
  line=${COMP_LINE:0:COMP_POINT}
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=${words[${#words[@]}-1]}
  COMPREPLY=()
  while IFS=$'\t' read -r candidate _; do
    # readline replaces only what follows the last = or :
    [[ $candidate == "$current"* ]] && COMPREPLY+=("${candidate:${#current}-${#2}}")
  done < <("${words[0]/#\~/$HOME}" __complete "${words[@]:1}" 2>/dev/null)
  [[ ${COMPREPLY[0]} == *, ]] && compopt -o nospace
  return 0
}
complete -o default -F _ciliumship ciliumship
