#include "addon/values.h"

#include <linux/netlink.h>

#include <cstring>

namespace vipd {

namespace {

Napi::Value BytesTo(Napi::Env env, const uint8_t* data, size_t length) {
  Napi::Uint8Array out = Napi::Uint8Array::New(env, length);
  if (length > 0) memcpy(out.Data(), data, length);
  return out;
}

}  // namespace

Napi::TypeError Wrong(Napi::Env env, const std::string& what) {
  return Napi::TypeError::New(env, what);
}

Napi::Object ObjectFrom(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) throw Wrong(value.Env(), std::string(name) + " is not an object");
  return value.As<Napi::Object>();
}

Napi::Object ObjectIn(const Napi::Object& object, const char* name) {
  return ObjectFrom(object.Get(name), name);
}

Napi::Array ArrayIn(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsArray()) throw Wrong(object.Env(), std::string(name) + " is not an array");
  return value.As<Napi::Array>();
}

std::string TextIn(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsString()) throw Wrong(object.Env(), std::string(name) + " is not a string");
  return value.As<Napi::String>().Utf8Value();
}

Us UsIn(const Napi::Object& object, const char* name) {
  return static_cast<Us>(NumberIn(object, name));
}

int IntIn(const Napi::Object& object, const char* name) {
  return static_cast<int>(NumberIn(object, name));
}

double NumberIn(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsNumber()) throw Wrong(object.Env(), std::string(name) + " is not a number");
  return value.As<Napi::Number>().DoubleValue();
}

Bytes BytesFrom(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw Wrong(value.Env(), "bytes are not a Uint8Array");
  const auto array = value.As<Napi::Uint8Array>();
  const size_t length = array.ElementLength();
  return length == 0 ? Bytes() : Bytes(array.Data(), array.Data() + length);
}

std::vector<Address> AddressesFrom(const Napi::Array& list) {
  std::vector<Address> out;
  for (uint32_t i = 0; i < list.Length(); ++i) out.push_back(AddressFrom(list.Get(i)));
  return out;
}

Address AddressFrom(const Napi::Value& value) {
  const Bytes bytes = BytesFrom(value);
  if (bytes.size() != 4 && bytes.size() != 16)
    throw Wrong(value.Env(), "an address has 4 or 16 octets");
  Address address;
  address.length = static_cast<uint8_t>(bytes.size());
  memcpy(address.octets.data(), bytes.data(), bytes.size());
  return address;
}

Bytes RequestFrom(const Napi::Value& value) {
  Bytes bytes = BytesFrom(value);
  nlmsghdr header{};
  if (bytes.size() >= sizeof header) memcpy(&header, bytes.data(), sizeof header);
  if (header.nlmsg_len < sizeof header || header.nlmsg_len != bytes.size())
    throw Napi::RangeError::New(value.Env(), "not one rtnetlink message: nlmsg_len differs");
  return bytes;
}

Napi::Value BytesTo(Napi::Env env, const Bytes& bytes) {
  return BytesTo(env, bytes.data(), bytes.size());
}

Napi::Value AddressTo(Napi::Env env, const Address& address) {
  return BytesTo(env, address.octets.data(), address.length);
}

void Set(Napi::Object* object, const char* name, Us value) {
  object->Set(name, static_cast<double>(value));
}

}  // namespace vipd
