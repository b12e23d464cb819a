# The manual page and the completion scripts, which the binary itself writes, and the name that kubectl knows it by.
set(reference ${PROJECT_BINARY_DIR}/reference)

# portitor_writes(FILE FOLDER ARGUMENTS...): what `portitor ARGUMENTS` prints is installed as FOLDER/FILE.
function(portitor_writes file folder)
    add_custom_command(OUTPUT ${reference}/${file}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${reference}
        COMMAND portitor ${ARGN} > ${reference}/${file}
        DEPENDS portitor VERBATIM)
    set_property(GLOBAL APPEND PROPERTY portitor_reference ${reference}/${file})
    install(FILES ${reference}/${file} DESTINATION ${folder})
endfunction()

portitor_writes(portitor.1 ${CMAKE_INSTALL_MANDIR}/man1 man)
portitor_writes(portitor ${CMAKE_INSTALL_DATADIR}/bash-completion/completions completion bash)
portitor_writes(_portitor ${CMAKE_INSTALL_DATADIR}/zsh/site-functions completion zsh)
portitor_writes(portitor.fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d completion fish)

add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/kubectl-portitor
    COMMAND ${CMAKE_COMMAND} -E create_symlink portitor ${PROJECT_BINARY_DIR}/kubectl-portitor
    DEPENDS portitor VERBATIM)
install(PROGRAMS ${PROJECT_BINARY_DIR}/kubectl-portitor DESTINATION ${CMAKE_INSTALL_BINDIR})

get_property(written GLOBAL PROPERTY portitor_reference)
add_custom_target(portitor_reference ALL DEPENDS ${written} ${PROJECT_BINARY_DIR}/kubectl-portitor)
