// File names that contain the name of a package.

/** @param {string} name of a package, which has a slash if it belongs to a scope of npm */
export const fileNameOf = (name) => name.replaceAll('/', '+');
