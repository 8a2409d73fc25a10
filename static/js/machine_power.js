// What a machine draws, from what stands in the form: the same rules as on the server.

export const RAM_W_PER_GB = 3 / 8;

// A typed number, or null for an empty or unreadable field.
export function numberOrNull(text) {
  const value = Number(text);
  return text.trim() === "" || !Number.isFinite(value) || value < 0 ? null : value;
}

// All processors of one kind: typed power before the table's, null when neither is known.
export function processorPowerW({ typedTdpW, tableTdpW, count }) {
  const tdpW = typedTdpW ?? tableTdpW;
  return tdpW === null || count === null ? null : tdpW * count;
}

export function memoryPowerW({ ramGb, typedPowerW }) {
  if (typedPowerW !== null) return typedPowerW;
  return ramGb === null ? null : ramGb * RAM_W_PER_GB;
}

// Shares of a bar, in percent, in the order given; unknown powers take no room.
export function barShares(powersW) {
  const totalW = powersW.reduce((sum, powerW) => sum + (powerW ?? 0), 0);
  let start = 0;
  return powersW.map((powerW) => {
    const width = totalW > 0 ? (100 * (powerW ?? 0)) / totalW : 0;
    start += width;
    return { start: start - width, width };
  });
}
