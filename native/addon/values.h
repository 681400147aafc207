// Plain values between JavaScript and C++, by which everything else crosses: numbers, text, octets,
// addresses. A value of the wrong shape is a bug of the caller and throws TypeError, which names
// it.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "base/plan.h"

namespace vipd {

Napi::TypeError Wrong(Napi::Env env, const std::string& what);

Napi::Object ObjectFrom(const Napi::Value& value, const char* name);
Napi::Object ObjectIn(const Napi::Object& object, const char* name);
Napi::Array ArrayIn(const Napi::Object& object, const char* name);
std::string TextIn(const Napi::Object& object, const char* name);
double NumberIn(const Napi::Object& object, const char* name);
Us UsIn(const Napi::Object& object, const char* name);
int IntIn(const Napi::Object& object, const char* name);
Bytes BytesFrom(const Napi::Value& value);
Address AddressFrom(const Napi::Value& value);
std::vector<Address> AddressesFrom(const Napi::Array& list);
// One rtnetlink message: nlmsg_len is its length. Throws RangeError otherwise.
Bytes RequestFrom(const Napi::Value& value);

Napi::Value BytesTo(Napi::Env env, const Bytes& bytes);
Napi::Value AddressTo(Napi::Env env, const Address& address);
void Set(Napi::Object* object, const char* name, Us value);

}  // namespace vipd
