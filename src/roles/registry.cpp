#include "roles/registry.hpp"

#include "roles/controller/controller.hpp"
#include "roles/registrar/registrar.hpp"
#include "roles/verifier/verifier.hpp"

#include <array>

namespace portitor::roles {

namespace {

template <typename Options, std::unique_ptr<role> (*Make)(const process&, Options)>
class setup_of final : public role_setup
{
public:
    void declare(config::loader& into) override { options_.declare(into); }
    result<void> resolve() override { return options_.resolve(); }
    std::unique_ptr<role> make(const process& around) const override { return Make(around, options_); }

private:
    Options options_;
};

template <typename Options, std::unique_ptr<role> (*Make)(const process&, Options)>
std::unique_ptr<role_setup> set_up()
{
    return std::make_unique<setup_of<Options, Make>>();
}

}  // namespace

std::span<const role_entry> all_roles()
{
    static constexpr std::array entries{
        role_entry{
            "controller",
            "turns ServiceOffers into routes and keeps them true",
            &set_up<controller::options, &make_controller>},
        role_entry{
            "verifier",
            "answers the gateway: is this request paid for?",
            &set_up<verifier::options, &make_verifier>},
        role_entry{
            "registrar",
            "registers offers on chain (ERC-8004)",
            &set_up<registrar::options, &make_registrar>},
    };
    return entries;
}

}  // namespace portitor::roles
