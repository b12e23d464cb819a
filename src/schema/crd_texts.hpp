#pragma once

#include <string_view>

namespace portitor::schema {

// The files of charts/portitor/files/crds (cmake/crd_texts.cmake).
extern const std::string_view service_offer_crd;
extern const std::string_view payment_route_crd;
extern const std::string_view registration_request_crd;

}  // namespace portitor::schema
