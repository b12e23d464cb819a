# The CRDs of the chart as C++ text, so that the binary and the chart never differ. A change of one configures anew.
set(portitor_crd_folder ${PROJECT_SOURCE_DIR}/charts/portitor/files/crds)
foreach(plural serviceoffers paymentroutes registrationrequests)
    set(file ${portitor_crd_folder}/${plural}.obol.org.yaml)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} ${plural}_text)
endforeach()
set(portitor_crd_texts ${PROJECT_BINARY_DIR}/generated/crd_texts.cpp)
configure_file(${PROJECT_SOURCE_DIR}/cmake/crd_texts.cpp.in ${portitor_crd_texts} @ONLY)
