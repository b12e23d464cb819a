#include "cli/pay/ends_at_once.hpp"

namespace portitor::cli::pay {

ends_at_once::ends_at_once()
{
    struct sigaction usual = {};
    usual.sa_handler = SIG_DFL;
    ::sigaction(SIGINT, &usual, &interrupt_);
    ::sigaction(SIGTERM, &usual, &terminate_);
}

ends_at_once::~ends_at_once()
{
    ::sigaction(SIGINT, &interrupt_, nullptr);
    ::sigaction(SIGTERM, &terminate_, nullptr);
}

}  // namespace portitor::cli::pay
