# What the binary says about its making. One small unit holds it, so that another commit compiles nothing else again:
# the same commit gives the same binary.
set(PORTITOR_COMMIT "" CACHE STRING "The commit that the sources are of, where there is no git to ask")

# portitor_commit(COMMIT STATE): what git says of what the binary is made of: "clean", "modified" or "".
function(portitor_commit commit state)
    set(${commit} unknown PARENT_SCOPE)
    set(${state} "" PARENT_SCOPE)
    if(NOT PORTITOR_COMMIT AND DEFINED ENV{PORTITOR_COMMIT})
        set(PORTITOR_COMMIT "$ENV{PORTITOR_COMMIT}")
    endif()
    if(PORTITOR_COMMIT)
        set(${commit} "${PORTITOR_COMMIT}" PARENT_SCOPE)
        return()
    endif()
    find_program(PORTITOR_GIT git)
    mark_as_advanced(PORTITOR_GIT)
    # Sources that were unpacked within somebody else's repository are not of its commits.
    if(NOT PORTITOR_GIT OR NOT EXISTS ${PROJECT_SOURCE_DIR}/.git)
        return()
    endif()
    execute_process(COMMAND ${PORTITOR_GIT} rev-parse HEAD WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
        OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(failed)
        return()
    endif()
    execute_process(COMMAND ${PORTITOR_GIT} status --porcelain -- CMakeLists.txt CMakePresets.json cmake include src
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE changes ERROR_QUIET)
    set(${commit} ${head} PARENT_SCOPE)
    set(${state} clean PARENT_SCOPE)
    if(changes)
        set(${state} modified PARENT_SCOPE)
    endif()
endfunction()

portitor_commit(build_commit build_state)
string(TOLOWER "${CMAKE_BUILD_TYPE}" build_type)
if(PORTITOR_SANITIZE)
    string(APPEND build_type ", sanitizers ${PORTITOR_SANITIZE}")
endif()
configure_file(cmake/build_facts.cpp.in ${PROJECT_BINARY_DIR}/build_facts.cpp @ONLY)
